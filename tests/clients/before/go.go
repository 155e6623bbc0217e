package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"

	"example.com/tasks/taskservice"
)

func show(done string) func(*taskservice.Task, *http.Response, error) {
	return func(task *taskservice.Task, _ *http.Response, err error) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s, %s\n", done, task.Title, task.AdditionalProperties["recurrence"])
	}
}

func main() {
	ada := context.WithValue(context.Background(), taskservice.ContextAccessToken, os.Getenv("TOKEN"))
	configuration := taskservice.NewConfiguration()
	configuration.Servers = taskservice.ServerConfigurations{{URL: "http://127.0.0.1:8000"}}
	tasks := taskservice.NewAPIClient(configuration).TasksAPI

	listed, response, err := tasks.ListTasks(ada, "ada").Execute()
	if err != nil {
		log.Fatal(err)
	}
	id := listed[0].Id
	show("listed")(&listed[0], response, err)
	show("got")(tasks.GetTask(ada, "ada", id).Execute())
	patch := taskservice.NewTaskPatch()
	patch.SetTitle("Buy milk")
	show("patched")(tasks.PatchTask(ada, "ada", id).TaskPatch(*patch).Execute())
	update := *taskservice.NewTaskUpdate("Buy bread")
	show("updated")(tasks.UpdateTask(ada, "ada", id).TaskUpdate(update).Execute())
	completion := *taskservice.NewCompletion(true)
	show("completed")(tasks.CompleteTask(ada, "ada", id).Completion(completion).Execute())
}

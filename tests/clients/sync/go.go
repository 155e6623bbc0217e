package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"example.com/tasks/taskservice"
)

var (
	ada    = context.WithValue(context.Background(), taskservice.ContextAccessToken, os.Getenv("TOKEN"))
	client = connect("http://127.0.0.1:8000")
)

func connect(address string) *taskservice.APIClient {
	configuration := taskservice.NewConfiguration()
	configuration.Servers = taskservice.ServerConfigurations{{URL: address}}
	return taskservice.NewAPIClient(configuration)
}

func must[T any](result T, _ *http.Response, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return result
}

func changes() taskservice.ApiListChangesRequest {
	return client.ChangesAPI.ListChanges(ada, "ada")
}

func create(task *taskservice.TaskCreate) *taskservice.Task {
	return must(client.TasksAPI.CreateTask(ada, "ada").TaskCreate(*task).Execute())
}

func flag(value bool) string {
	return map[bool]string{true: "True", false: "False"}[value]
}

func entry(change taskservice.Change) string {
	if list, found := change.GetListOk(); found {
		return "list " + list.Name
	}
	if task, found := change.GetTaskOk(); found {
		return "task " + task.Title
	}
	return fmt.Sprintf("%s gone %s", change.Kind, flag(change.GetGone()))
}

func show(name string, page *taskservice.SyncPage) string {
	entries := []string{}
	for _, change := range page.Changes {
		entries = append(entries, entry(change))
	}
	if len(entries) == 0 {
		entries = []string{"nothing"}
	}
	fmt.Printf("%s: %s, more %s, full %s\n", name, strings.Join(entries, ", "), flag(page.More), flag(page.Full))
	return page.Next
}

func main() {
	named := taskservice.NewTaskListCreate("Food")
	food := must(client.ListsAPI.CreateList(ada, "ada").TaskListCreate(*named).Execute())
	inFood := taskservice.NewTaskCreate("Milk")
	inFood.SetListId(food.Id)
	milk := create(inFood)
	bread := create(taskservice.NewTaskCreate("Bread"))
	token := show("lists", must(changes().Execute()))
	token = show("tasks", must(changes().Since(token).Execute()))
	token = show("in step", must(changes().Since(token).Execute()))

	patch := taskservice.NewTaskPatch()
	patch.SetTitle("Oat milk")
	must(client.TasksAPI.PatchTask(ada, "ada", milk.Id).TaskPatch(*patch).Execute())
	if _, err := client.TasksAPI.DeleteTask(ada, "ada", bread.Id).Execute(); err != nil {
		log.Fatal(err)
	}
	token = show("cut", must(changes().Since(token).Limit(1).Execute()))
	show("rest", must(changes().Since(token).Execute()))

	_, _, err := changes().Since("altered").Execute()
	var failure *taskservice.GenericOpenAPIError
	errors.As(err, &failure)
	problem := failure.Model().(taskservice.Problem)
	fmt.Printf("refused: %d %s\n", problem.GetStatus(), problem.Errors[0].GetParameter())
}

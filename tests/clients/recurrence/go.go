package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"example.com/tasks/taskservice"
)

var (
	ada   = context.WithValue(context.Background(), taskservice.ContextAccessToken, os.Getenv("TOKEN"))
	tasks = connect("http://127.0.0.1:8000").TasksAPI
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

func complete(task *taskservice.Task, completion *taskservice.Completion) *taskservice.Task {
	return must(tasks.CompleteTask(ada, "ada", task.Id).Completion(*completion).Execute())
}

func series(task *taskservice.Task) string {
	query := tasks.ListTasks(ada, "ada").SeriesId(task.GetSeriesId()).Sort("created_at")
	var found []string
	for _, one := range must(query.Execute()) {
		found = append(found, one.GetDue())
	}
	return strings.Join(found, ", ")
}

func flag(value bool) string {
	return map[bool]string{true: "True", false: "False"}[value]
}

func main() {
	weekly := taskservice.NewTaskCreate("Water the plants")
	weekly.SetDue("2096-04-01")
	weekly.SetRecurrence("FREQ=WEEKLY;BYDAY=SU")
	weekly.SetRepeatsFrom("schedule")
	task := must(tasks.CreateTask(ada, "ada").TaskCreate(*weekly).Execute())
	fmt.Printf("created: %s, %s, %s\n", task.GetRecurrence(), task.RepeatsFrom, task.GetOccurrence())

	completion := taskservice.NewCompletion(true)
	completion.SetTimeZone("Europe/Berlin")
	closed := complete(task, completion)
	fmt.Printf("completed: %s, %s\n", closed.Status, closed.GetRecurrence())
	following := must(tasks.GetTask(ada, "ada", closed.GetNextId()).Execute())
	isInSeries := flag(following.GetSeriesId() == task.Id)
	fmt.Printf("successor: %s, %s, %s\n", following.Title, following.GetDue(), isInSeries)
	fmt.Printf("series: %s\n", series(task))

	reopened := complete(task, taskservice.NewCompletion(false))
	fmt.Printf("reopened: %s, %s\n", reopened.Status, flag(reopened.NextId.Get() == nil))
	fmt.Printf("series: %s\n", series(task))
	end := taskservice.NewTaskPatch()
	end.SetRecurrenceNil()
	ended := must(tasks.PatchTask(ada, "ada", task.Id).TaskPatch(*end).Execute())
	fmt.Printf("ended: %s, %s\n", flag(ended.Recurrence.Get() == nil), flag(ended.Occurrence.Get() == nil))
}

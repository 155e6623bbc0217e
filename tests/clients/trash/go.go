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

func done(_ *http.Response, err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func flag(value bool) string {
	return map[bool]string{true: "True", false: "False"}[value]
}

func titles() string {
	found := []string{}
	for _, one := range must(client.TrashAPI.ListTrash(ada, "ada").Execute()) {
		found = append(found, one.Title)
	}
	if len(found) == 0 {
		return "nothing"
	}
	return strings.Join(found, ", ")
}

func create(title string) string {
	task := taskservice.NewTaskCreate(title)
	return must(client.TasksAPI.CreateTask(ada, "ada").TaskCreate(*task).Execute()).Id
}

func rename(id string, title string) {
	patch := taskservice.NewTaskPatch()
	patch.SetTitle(title)
	must(client.TasksAPI.PatchTask(ada, "ada", id).TaskPatch(*patch).Execute())
}

func undo(id string, sequence int64) taskservice.ApiUndoTaskChangeRequest {
	return client.HistoryAPI.UndoTaskChange(ada, "ada", id).Undo(*taskservice.NewUndo(sequence))
}

func main() {
	id := create("Milk")
	rename(id, "Oat milk")
	done(client.TasksAPI.DeleteTask(ada, "ada", id).Execute())
	fmt.Printf("trash: %s\n", titles())
	trashed := must(client.TrashAPI.GetTrashedTask(ada, "ada", id).Execute())
	isKept := flag(trashed.PurgedAfter.After(trashed.TrashedAt))
	fmt.Printf("kept: %s, %s\n", isKept, flag(trashed.TrashedWith.Get() == nil))
	restored := must(client.TrashAPI.RestoreTask(ada, "ada", id).Execute())
	fmt.Printf("restored: %s, %d\n", restored.Title, restored.Version)

	changes := must(client.HistoryAPI.ListTaskChanges(ada, "ada", id).Execute())
	types := []string{}
	for _, change := range changes {
		types = append(types, change.Type)
	}
	fmt.Printf("history: %s\n", strings.Join(types, ", "))
	fmt.Printf("before: %s, %s\n", *changes[2].Previous["title"], flag(changes[0].Client.Get() == nil))
	undone := must(undo(id, changes[2].Sequence).Execute())
	fmt.Printf("undone: %s, %d\n", undone.Title, undone.Version)
	rename(id, "Soy milk")
	_, _, err := undo(id, changes[2].Sequence).Execute()
	var failure *taskservice.GenericOpenAPIError
	errors.As(err, &failure)
	problem := failure.Model().(taskservice.Problem)
	fmt.Printf("refused: %d %s\n", problem.GetStatus(), problem.Errors[0].GetPointer())

	summary := must(client.SummaryAPI.GetSummary(ada, "ada").TimeZone("Europe/Berlin").Execute())
	inbox := summary.Lists[0]
	isInbox := flag(inbox.ListId.Get() == nil)
	fmt.Printf("summary: %s, %d, %d, %s\n", summary.TimeZone, summary.Open, inbox.Open, isInbox)
	removed := must(undo(id, changes[3].Sequence).Execute())
	fmt.Printf("removed: %s, %s\n", removed.Title, flag(removed.GetPurgedAfter().After(removed.GetTrashedAt())))
	done(client.TrashAPI.PurgeTask(ada, "ada", id).Execute())
	fmt.Printf("purged: %s\n", titles())
	done(client.TasksAPI.DeleteTask(ada, "ada", create("Bread")).Execute())
	purged := must(client.TrashAPI.PurgeTrash(ada, "ada").Execute())
	fmt.Printf("emptied: %d, %s\n", purged.Purged, flag(purged.More))
}

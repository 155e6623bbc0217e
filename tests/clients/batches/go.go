package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"

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

func flag(value bool) string {
	return map[bool]string{true: "True", false: "False"}[value]
}

func send(batch *taskservice.Batch) (*taskservice.BatchResult, *http.Response, error) {
	return client.BatchAPI.RunBatch(ada, "ada").Batch(*batch).Execute()
}

func batchOf(commands ...taskservice.BatchCommand) *taskservice.Batch {
	return taskservice.NewBatch(commands)
}

func create(title string, ref string, parent string) taskservice.BatchCommand {
	task := taskservice.NewBatchTask(title)
	task.SetLabels([]string{"home"})
	if parent != "" {
		task.SetParentId(parent)
	}
	command := taskservice.NewBatchCommand("create")
	command.SetTask(*task)
	if ref != "" {
		command.SetRef(ref)
	}
	return *command
}

func command(op string, id string, version string) taskservice.BatchCommand {
	command := taskservice.NewBatchCommand(op)
	command.SetId(id)
	if version != "" {
		command.SetIfMatch(version)
	}
	return *command
}

func main() {
	task := taskservice.NewTaskCreate("Milk")
	milk := must(client.TasksAPI.CreateTask(ada, "ada").TaskCreate(*task).Execute())
	version := fmt.Sprintf(`"%d"`, milk.Version)
	completion := command("complete", milk.Id, version)
	atomic := must(send(batchOf(create("Trip", "trip", ""), create("Tent", "", "$trip"), completion)))
	trip, tent, completed := atomic.Results[0], atomic.Results[1], atomic.Results[2]
	isBelow := flag(tent.Task.GetParentId() == trip.Task.Id)
	fmt.Printf("atomic: %s, %d, %d, ", flag(atomic.Applied), trip.Status, tent.Status)
	fmt.Printf("%d, %s, %s, %s\n", completed.Status, isBelow, *completed.Etag, flag(completed.Task == nil))

	changes := taskservice.NewBatchChanges()
	changes.SetTitle("Oat milk")
	stale := command("update", milk.Id, fmt.Sprint(milk.Version))
	stale.SetChanges(*changes)
	batch := batchOf(stale, command("delete", tent.Task.Id, ""))
	batch.SetMode("each")
	each := must(send(batch))
	failed, deleted := each.Results[0], each.Results[1]
	fmt.Printf("each: %d, %s, %s, ", failed.Status, failed.Problem.Type, *failed.Problem.Errors[0].Pointer)
	isGone := deleted.Task == nil && deleted.Etag == nil && deleted.Problem == nil
	fmt.Printf("%d, %s\n", deleted.Status, flag(isGone))

	dry := batchOf(command("delete", trip.Task.Id, ""))
	dry.SetDryRun(true)
	trial := must(send(dry))
	kept := must(client.TasksAPI.GetTask(ada, "ada", trip.Task.Id).Execute())
	isKept := flag(kept.Version == trip.Task.Version)
	fmt.Printf("tried: %s, %d, %s\n", flag(trial.Applied), trial.Results[0].Status, isKept)
	_, _, err := send(batchOf(create("Map", "", ""), command("complete", trip.Task.Id, "7")))
	var failure *taskservice.GenericOpenAPIError
	errors.As(err, &failure)
	problem := failure.Model().(taskservice.Problem)
	fmt.Printf("refused: %d, %s\n", problem.Status, *problem.Errors[0].Pointer)

	rename := *taskservice.NewLabelRename("Home", "travel")
	renamed := must(client.LabelsAPI.RenameLabel(ada, "ada").LabelRename(rename).Execute())
	fmt.Printf("renamed: %s, %d, %d, %s\n", renamed.Label, renamed.Open, renamed.All, flag(renamed.More))
	list := *taskservice.NewTaskListCreate("Food")
	food := must(client.ListsAPI.CreateList(ada, "ada").TaskListCreate(list).Execute())
	bread := taskservice.NewTaskCreate("Bread")
	bread.SetListId(food.Id)
	must(client.TasksAPI.CreateTask(ada, "ada").TaskCreate(*bread).Execute())
	step := must(client.ListsAPI.DeleteList(ada, "ada", food.Id).Tasks("delete").Limit(1).Execute())
	fmt.Printf("step: %d, %s\n", step.Done, flag(step.More))
}

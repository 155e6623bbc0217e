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
	lists  = client.ListsAPI
	tasks  = client.TasksAPI
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

func create(task *taskservice.TaskCreate) *taskservice.Task {
	return must(tasks.CreateTask(ada, "ada").TaskCreate(*task).Execute())
}

func below(title string, parent *taskservice.Task) *taskservice.Task {
	task := taskservice.NewTaskCreate(title)
	task.SetParentId(parent.Id)
	return create(task)
}

func in(title string, list *taskservice.TaskList) *taskservice.Task {
	task := taskservice.NewTaskCreate(title)
	task.SetListId(list.Id)
	return create(task)
}

func patch(task *taskservice.Task, body *taskservice.TaskPatch) *taskservice.Task {
	return must(tasks.PatchTask(ada, "ada", task.Id).TaskPatch(*body).Execute())
}

func titles(list, parent string) string {
	query := tasks.ListTasks(ada, "ada").ListId(list).ParentId(parent).Sort("position")
	var found []string
	for _, task := range must(query.Execute()) {
		found = append(found, task.Title)
	}
	return strings.Join(found, ", ")
}

func flag(value bool) string {
	return map[bool]string{true: "True", false: "False"}[value]
}

func main() {
	food := must(lists.CreateList(ada, "ada").TaskListCreate(*taskservice.NewTaskListCreate("Groceries")).Execute())
	work := must(lists.CreateList(ada, "ada").TaskListCreate(*taskservice.NewTaskListCreate("Work")).Execute())
	first := taskservice.NewTaskListMove()
	first.SetPlace("first")
	must(lists.MoveList(ada, "ada", work.Id).TaskListMove(*first).Execute())
	name := taskservice.NewTaskListPatch()
	name.SetName("Food")
	food = must(lists.PatchList(ada, "ada", food.Id).TaskListPatch(*name).Execute())
	var names []string
	for _, list := range must(lists.ListLists(ada, "ada").Execute()) {
		names = append(names, list.Name)
	}
	fmt.Printf("lists: %s\n", strings.Join(names, ", "))

	in("Report", work)
	shop := in("Shop", food)
	milk, bread := below("Milk", shop), below("Bread", shop)
	place := func(task *taskservice.Task) string {
		isIn, isUnder := task.GetListId() == food.Id, task.GetParentId() == shop.Id
		return fmt.Sprintf("in food %s, under shop %s", flag(isIn), flag(isUnder))
	}
	fmt.Printf("created: %s, %s\n", milk.Title, place(milk))
	before := taskservice.NewTaskMove()
	before.SetBefore(milk.Id)
	bread = must(tasks.MoveTask(ada, "ada", bread.Id).TaskMove(*before).Execute())
	fmt.Printf("moved: %s, %s\n", titles(food.Id, shop.Id), flag(bread.Position < milk.Position))

	title := taskservice.NewTaskPatch()
	title.SetTitle("Oat milk")
	milk = patch(milk, title)
	fmt.Printf("patched: %s, %s\n", milk.Title, place(milk))
	update := *taskservice.NewTaskUpdate("Soy milk")
	milk = must(tasks.UpdateTask(ada, "ada", milk.Id).TaskUpdate(update).Execute())
	fmt.Printf("updated: %s, %s\n", milk.Title, place(milk))
	apart := taskservice.NewTaskPatch()
	apart.SetListIdNil()
	apart.SetParentIdNil()
	bread = patch(bread, apart)
	fmt.Printf("cleared: %s, %s\n", bread.Title, place(bread))

	_, _, err := lists.DeleteList(ada, "ada", work.Id).Execute()
	var failed *taskservice.GenericOpenAPIError
	if !errors.As(err, &failed) {
		log.Fatal("a list with tasks was deleted")
	}
	problem := failed.Model().(taskservice.Problem)
	fmt.Printf("refused: %d %s\n", problem.Status, problem.Type)
	if _, _, err = lists.DeleteList(ada, "ada", work.Id).Tasks("inbox").Execute(); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("inbox: %s\n", titles("inbox", "none"))
	if _, err = tasks.DeleteTask(ada, "ada", shop.Id).Subtasks("delete").Execute(); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("food: %d\n", len(must(tasks.ListTasks(ada, "ada").ListId(food.Id).Execute())))
}

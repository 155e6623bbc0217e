import os
from typing import Any

from taskservice_api import (
    ApiClient,
    ApiException,
    Configuration,
    ListsApi,
    TaskCreate,
    TaskListCreate,
    TaskListMove,
    TaskListPatch,
    TaskMove,
    TaskPatch,
    TasksApi,
    TaskUpdate,
)

configuration = Configuration("http://127.0.0.1:8000", access_token=os.environ["TOKEN"])
client = ApiClient(configuration)
lists, tasks = ListsApi(client), TasksApi(client)


def create(**fields: Any) -> Any:
    return tasks.create_task("ada", TaskCreate(**fields))


def titles(**query: Any) -> str:
    return ", ".join(task.title for task in tasks.list_tasks("ada", sort="position", **query))


def place(task: Any) -> str:
    return f"in food {task.list_id == food.id}, under shop {task.parent_id == shop.id}"


food = lists.create_list("ada", TaskListCreate(name="Groceries"))
work = lists.create_list("ada", TaskListCreate(name="Work"))
work = lists.move_list("ada", work.id, TaskListMove(place="first"))
food = lists.patch_list("ada", food.id, TaskListPatch(name="Food"))
print("lists:", ", ".join(one.name for one in lists.list_lists("ada")))

create(title="Report", list_id=work.id)
shop = create(title="Shop", list_id=food.id)
milk, bread = (create(title=title, parent_id=shop.id) for title in ("Milk", "Bread"))
print(f"created: {milk.title}, {place(milk)}")
bread = tasks.move_task("ada", bread.id, TaskMove(before=milk.id))
below = titles(list_id=str(food.id), parent_id=str(shop.id))
print(f"moved: {below}, {bread.position < milk.position}")

milk = tasks.patch_task("ada", milk.id, TaskPatch(title="Oat milk"))
print(f"patched: {milk.title}, {place(milk)}")
milk = tasks.update_task("ada", milk.id, TaskUpdate(title="Soy milk"))
print(f"updated: {milk.title}, {place(milk)}")
bread = tasks.patch_task("ada", bread.id, TaskPatch(list_id=None, parent_id=None))
print(f"cleared: {bread.title}, {place(bread)}")

try:
    lists.delete_list("ada", work.id)
except ApiException as error:
    print(f"refused: {error.status} {error.data.type}")
lists.delete_list("ada", work.id, tasks="inbox")
print("inbox:", titles(list_id="inbox", parent_id="none"))
tasks.delete_task("ada", shop.id, subtasks="delete")
print("food:", len(tasks.list_tasks("ada", list_id=str(food.id))))

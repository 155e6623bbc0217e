import os
from typing import Any

from taskservice_client import AuthenticatedClient
from taskservice_client.api.lists import (
    create_list,
    delete_list,
    list_lists,
    move_list,
    patch_list,
)
from taskservice_client.api.tasks import (
    create_task,
    delete_task,
    list_tasks,
    move_task,
    patch_task,
    update_task,
)
from taskservice_client.models import (
    DeleteListTasks,
    DeleteTaskSubtasks,
    ListTasksSort,
    TaskCreate,
    TaskListCreate,
    TaskListMove,
    TaskListMovePlace,
    TaskListPatch,
    TaskMove,
    TaskPatch,
    TaskUpdate,
)

client = AuthenticatedClient("http://127.0.0.1:8000", token=os.environ["TOKEN"])


def create(**fields: Any) -> Any:
    return create_task.sync("ada", client=client, body=TaskCreate(**fields))


def titles(**query: Any) -> str:
    found = list_tasks.sync("ada", client=client, sort=ListTasksSort.POSITION, **query)
    return ", ".join(task.title for task in found)


def place(task: Any) -> str:
    return f"in food {task.list_id == food.id}, under shop {task.parent_id == shop.id}"


food = create_list.sync("ada", client=client, body=TaskListCreate(name="Groceries"))
work = create_list.sync("ada", client=client, body=TaskListCreate(name="Work"))
first = TaskListMove(place=TaskListMovePlace.FIRST)
work = move_list.sync("ada", work.id, client=client, body=first)
food = patch_list.sync("ada", food.id, client=client, body=TaskListPatch(name="Food"))
print("lists:", ", ".join(one.name for one in list_lists.sync("ada", client=client)))

create(title="Report", list_id=work.id)
shop = create(title="Shop", list_id=food.id)
milk, bread = (create(title=title, parent_id=shop.id) for title in ("Milk", "Bread"))
print(f"created: {milk.title}, {place(milk)}")
bread = move_task.sync("ada", bread.id, client=client, body=TaskMove(before=milk.id))
below = titles(list_id=str(food.id), parent_id=str(shop.id))
print(f"moved: {below}, {bread.position < milk.position}")

milk = patch_task.sync("ada", milk.id, client=client, body=TaskPatch(title="Oat milk"))
print(f"patched: {milk.title}, {place(milk)}")
milk = update_task.sync("ada", milk.id, client=client, body=TaskUpdate(title="Soy milk"))
print(f"updated: {milk.title}, {place(milk)}")
apart = TaskPatch(list_id=None, parent_id=None)
bread = patch_task.sync("ada", bread.id, client=client, body=apart)
print(f"cleared: {bread.title}, {place(bread)}")

problem = delete_list.sync("ada", work.id, client=client)
print(f"refused: {problem.status} {problem.type_}")
delete_list.sync_detailed("ada", work.id, client=client, tasks=DeleteListTasks.INBOX)
print("inbox:", titles(list_id="inbox", parent_id="none"))
delete_task.sync_detailed("ada", shop.id, client=client, subtasks=DeleteTaskSubtasks.DELETE)
print("food:", len(list_tasks.sync("ada", client=client, list_id=str(food.id))))

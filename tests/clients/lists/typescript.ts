/// <reference types="node" />
import createClient from "openapi-fetch";
import type { components, paths } from "./taskservice";

type Task = components["schemas"]["Task"];
type TaskCreate = components["schemas"]["TaskCreate"];
type Problem = components["schemas"]["Problem"];
type Query = NonNullable<paths[typeof TASKS]["get"]["parameters"]["query"]>;

const client = createClient<paths>({
  baseUrl: "http://127.0.0.1:8000",
  headers: { Authorization: `Bearer ${process.env["TOKEN"]}` },
});
const LISTS = "/api/tasks/{user_id}/lists";
const LIST = "/api/tasks/{user_id}/lists/{list_id}";
const TASKS = "/api/tasks/{user_id}/tasks";
const TASK = "/api/tasks/{user_id}/tasks/{task_id}";
const ada = { user_id: "ada" };

function result<T>({ data, error }: { data?: T; error?: Problem }): T {
  if (error) throw new Error(error.detail);
  return data as T;
}

async function create(body: TaskCreate): Promise<Task> {
  return result(await client.POST(TASKS, { params: { path: ada }, body }));
}

async function titles(query: Query): Promise<string> {
  const params = { path: ada, query: { ...query, sort: "position" } } as const;
  return result(await client.GET(TASKS, { params })).map(({ title }) => title).join(", ");
}

function flag(value: boolean): string {
  return value ? "True" : "False";
}

function place(task: Task): string {
  return `in food ${flag(task.list_id === food.id)}, under shop ${flag(task.parent_id === shop.id)}`;
}

const path = (list: { id: string }) => ({ path: { ...ada, list_id: list.id } });
const at = (task: Task) => ({ path: { ...ada, task_id: task.id } });

let food = result(await client.POST(LISTS, { params: { path: ada }, body: { name: "Groceries" } }));
const work = result(await client.POST(LISTS, { params: { path: ada }, body: { name: "Work" } }));
result(await client.PATCH(`${LIST}/position`, { params: path(work), body: { place: "first" } }));
food = result(await client.PATCH(LIST, { params: path(food), body: { name: "Food" } }));
const lists = result(await client.GET(LISTS, { params: { path: ada } }));
console.log(`lists: ${lists.map(({ name }) => name).join(", ")}`);

await create({ title: "Report", list_id: work.id });
const shop = await create({ title: "Shop", list_id: food.id });
let milk = await create({ title: "Milk", parent_id: shop.id });
let bread = await create({ title: "Bread", parent_id: shop.id });
console.log(`created: ${milk.title}, ${place(milk)}`);
bread = result(await client.PATCH(`${TASK}/position`, { params: at(bread), body: { before: milk.id } }));
const below = await titles({ list_id: food.id, parent_id: shop.id });
console.log(`moved: ${below}, ${flag(bread.position < milk.position)}`);

milk = result(await client.PATCH(TASK, { params: at(milk), body: { title: "Oat milk" } }));
console.log(`patched: ${milk.title}, ${place(milk)}`);
milk = result(await client.PUT(TASK, { params: at(milk), body: { title: "Soy milk" } }));
console.log(`updated: ${milk.title}, ${place(milk)}`);
bread = result(await client.PATCH(TASK, { params: at(bread), body: { list_id: null, parent_id: null } }));
console.log(`cleared: ${bread.title}, ${place(bread)}`);

const { error } = await client.DELETE(LIST, { params: path(work) });
console.log(`refused: ${error?.status} ${error?.type}`);
await client.DELETE(LIST, { params: { ...path(work), query: { tasks: "inbox" } } });
console.log(`inbox: ${await titles({ list_id: "inbox", parent_id: "none" })}`);
await client.DELETE(TASK, { params: { ...at(shop), query: { subtasks: "delete" } } });
const left = result(await client.GET(TASKS, { params: { path: ada, query: { list_id: food.id } } }));
console.log(`food: ${left.length}`);

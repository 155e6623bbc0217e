/// <reference types="node" />
import createClient from "openapi-fetch";
import type { components, paths } from "./taskservice";

type Change = components["schemas"]["Change"];
type SyncPage = components["schemas"]["SyncPage"];
type Problem = components["schemas"]["Problem"];
type Query = NonNullable<paths[typeof CHANGES]["get"]["parameters"]["query"]>;

const client = createClient<paths>({
  baseUrl: "http://127.0.0.1:8000",
  headers: { Authorization: `Bearer ${process.env["TOKEN"]}` },
});
const CHANGES = "/api/tasks/{user_id}/changes";
const LISTS = "/api/tasks/{user_id}/lists";
const TASKS = "/api/tasks/{user_id}/tasks";
const TASK = "/api/tasks/{user_id}/tasks/{task_id}";
const ada = { user_id: "ada" };

function result<T>({ data, error }: { data?: T; error?: Problem }): T {
  if (error) throw new Error(error.detail);
  return data as T;
}

async function sync(query: Query): Promise<SyncPage> {
  return result(await client.GET(CHANGES, { params: { path: ada, query } }));
}

function flag(value?: boolean): string {
  return value ? "True" : "False";
}

function entry({ kind, list, task, gone }: Change): string {
  if (list) return `list ${list.name}`;
  if (task) return `task ${task.title}`;
  return `${kind} gone ${flag(gone)}`;
}

function show(name: string, page: SyncPage): string {
  const entries = page.changes.map(entry).join(", ") || "nothing";
  console.log(`${name}: ${entries}, more ${flag(page.more)}, full ${flag(page.full)}`);
  return page.next;
}

const food = result(await client.POST(LISTS, { params: { path: ada }, body: { name: "Food" } }));
const inFood = { title: "Milk", list_id: food.id };
const milk = result(await client.POST(TASKS, { params: { path: ada }, body: inFood }));
const bread = result(await client.POST(TASKS, { params: { path: ada }, body: { title: "Bread" } }));
let since = show("lists", await sync({}));
since = show("tasks", await sync({ since }));
since = show("in step", await sync({ since }));

const params = { path: { ...ada, task_id: milk.id } };
result(await client.PATCH(TASK, { params, body: { title: "Oat milk" } }));
await client.DELETE(TASK, { params: { path: { ...ada, task_id: bread.id } } });
since = show("cut", await sync({ since, limit: 1 }));
since = show("rest", await sync({ since }));

const altered = { path: ada, query: { since: "altered" } };
const { error } = await client.GET(CHANGES, { params: altered });
console.log(`refused: ${error?.status} ${error?.errors?.[0]?.parameter}`);

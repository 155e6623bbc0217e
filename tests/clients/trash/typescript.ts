/// <reference types="node" />
import createClient from "openapi-fetch";
import type { components, paths } from "./taskservice";

type Problem = components["schemas"]["Problem"];

const client = createClient<paths>({
  baseUrl: "http://127.0.0.1:8000",
  headers: { Authorization: `Bearer ${process.env["TOKEN"]}` },
});
const TASKS = "/api/tasks/{user_id}/tasks";
const TASK = "/api/tasks/{user_id}/tasks/{task_id}";
const TRASH = "/api/tasks/{user_id}/trash";
const TRASHED = "/api/tasks/{user_id}/trash/{task_id}";
const ada = { params: { path: { user_id: "ada" } } };

function result<T>({ data, error }: { data?: T; error?: Problem }): T {
  if (error) throw new Error(error.detail);
  return data as T;
}

function flag(value: boolean): string {
  return value ? "True" : "False";
}

function isLater(time: string | undefined, than: string | undefined): string {
  return flag(new Date(time ?? 0) > new Date(than ?? 0));
}

async function titles(): Promise<string> {
  const trash = result(await client.GET(TRASH, ada));
  return trash.map(({ title }) => title).join(", ") || "nothing";
}

const task = result(await client.POST(TASKS, { ...ada, body: { title: "Milk" } }));
const one = { params: { path: { user_id: "ada", task_id: task.id } } };
result(await client.PATCH(TASK, { ...one, body: { title: "Oat milk" } }));
await client.DELETE(TASK, one);
console.log(`trash: ${await titles()}`);
const trashed = result(await client.GET(TRASHED, one));
const isAlone = flag(trashed.trashed_with === null);
console.log(`kept: ${isLater(trashed.purged_after, trashed.trashed_at)}, ${isAlone}`);
const restored = result(await client.POST(`${TRASHED}/restore`, one));
console.log(`restored: ${restored.title}, ${restored.version}`);

const changes = result(await client.GET(`${TASK}/history`, one));
console.log(`history: ${changes.map(({ type }) => type).join(", ")}`);
const [restoration, , rename, creation] = changes;
console.log(`before: ${rename?.previous?.["title"]}, ${flag(restoration?.client === null)}`);
const undo = { ...one, body: { sequence: rename?.sequence ?? 0 } };
const undone = result(await client.POST(`${TASK}/undo`, undo));
console.log(`undone: ${undone.title}, ${undone.version}`);
result(await client.PATCH(TASK, { ...one, body: { title: "Soy milk" } }));
const { error } = await client.POST(`${TASK}/undo`, undo);
console.log(`refused: ${error?.status} ${error?.errors?.[0]?.pointer}`);

const query = { time_zone: "Europe/Berlin" };
const inBerlin = { params: { ...ada.params, query } };
const summary = result(await client.GET("/api/tasks/{user_id}/summary", inBerlin));
const inbox = summary.lists[0];
const counted = `${summary.open}, ${inbox?.open}, ${flag(inbox?.list_id === null)}`;
console.log(`summary: ${summary.time_zone}, ${counted}`);
const ofCreation = { ...one, body: { sequence: creation?.sequence ?? 0 } };
const removed = result(await client.POST(`${TASK}/undo`, ofCreation));
console.log(`removed: ${removed.title}, ${isLater(removed.purged_after, removed.trashed_at)}`);
await client.DELETE(TRASHED, one);
console.log(`purged: ${await titles()}`);
const other = result(await client.POST(TASKS, { ...ada, body: { title: "Bread" } }));
await client.DELETE(TASK, { params: { path: { user_id: "ada", task_id: other.id } } });
const purged = result(await client.DELETE(TRASH, ada));
console.log(`emptied: ${purged.purged}, ${flag(purged.more)}`);

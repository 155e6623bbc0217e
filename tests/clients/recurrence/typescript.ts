/// <reference types="node" />
import createClient from "openapi-fetch";
import type { components, paths } from "./taskservice";

type Task = components["schemas"]["Task"];
type TaskCreate = components["schemas"]["TaskCreate"];
type Completion = components["schemas"]["Completion"];
type Problem = components["schemas"]["Problem"];

const client = createClient<paths>({
  baseUrl: "http://127.0.0.1:8000",
  headers: { Authorization: `Bearer ${process.env["TOKEN"]}` },
});
const TASKS = "/api/tasks/{user_id}/tasks";
const TASK = "/api/tasks/{user_id}/tasks/{task_id}";
const ada = { user_id: "ada" };

function result<T>({ data, error }: { data?: T; error?: Problem }): T {
  if (error) throw new Error(error.detail);
  return data as T;
}

async function complete(id: string, body: Completion): Promise<Task> {
  const params = { path: { ...ada, task_id: id } };
  return result(await client.PATCH(`${TASK}/complete`, { params, body }));
}

async function series(task: Task): Promise<string> {
  const query = { series_id: task.series_id ?? "", sort: "created_at" } as const;
  const found = result(await client.GET(TASKS, { params: { path: ada, query } }));
  return found.map(({ due }) => due).join(", ");
}

function flag(value: boolean): string {
  return value ? "True" : "False";
}

const weekly: TaskCreate = {
  title: "Water the plants",
  due: "2096-04-01",
  recurrence: "FREQ=WEEKLY;BYDAY=SU",
  repeats_from: "schedule",
};
const task = result(await client.POST(TASKS, { params: { path: ada }, body: weekly }));
console.log(`created: ${task.recurrence}, ${task.repeats_from}, ${task.occurrence}`);

const closed = await complete(task.id, { completed: true, time_zone: "Europe/Berlin" });
console.log(`completed: ${closed.status}, ${closed.recurrence}`);
const next = { path: { ...ada, task_id: closed.next_id ?? "" } };
const following = result(await client.GET(TASK, { params: next }));
console.log(`successor: ${following.title}, ${following.due}, ${flag(following.series_id === task.id)}`);
console.log(`series: ${await series(task)}`);

const reopened = await complete(task.id, { completed: false });
console.log(`reopened: ${reopened.status}, ${flag(reopened.next_id === null)}`);
console.log(`series: ${await series(task)}`);
const params = { path: { ...ada, task_id: task.id } };
const ended = result(await client.PATCH(TASK, { params, body: { recurrence: null } }));
console.log(`ended: ${flag(ended.recurrence === null)}, ${flag(ended.occurrence === null)}`);

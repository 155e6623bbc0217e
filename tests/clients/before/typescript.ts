/// <reference types="node" />
import createClient from "openapi-fetch";
import type { components, paths } from "./taskservice";

type Task = components["schemas"]["Task"];

const client = createClient<paths>({
  baseUrl: "http://127.0.0.1:8000",
  headers: { Authorization: `Bearer ${process.env["TOKEN"]}` },
});
const TASKS = "/api/tasks/{user_id}/tasks";
const TASK = "/api/tasks/{user_id}/tasks/{task_id}";

function show(done: string, task?: Task): void {
  console.log(`${done}: ${task?.title}, ${task?.["recurrence"]}`);
}

const { data: [task] = [] } = await client.GET(TASKS, { params: { path: { user_id: "ada" } } });
if (!task) throw new Error("no task");
show("listed", task);
const params = { path: { user_id: "ada", task_id: task.id } };
show("got", (await client.GET(TASK, { params })).data);
show("patched", (await client.PATCH(TASK, { params, body: { title: "Buy milk" } })).data);
show("updated", (await client.PUT(TASK, { params, body: { title: "Buy bread" } })).data);
show("completed", (await client.PATCH(`${TASK}/complete`, { params, body: { completed: true } })).data);

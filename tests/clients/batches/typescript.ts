/// <reference types="node" />
import createClient from "openapi-fetch";
import type { components, paths } from "./taskservice";

type Batch = components["schemas"]["Batch"];
type Command = components["schemas"]["BatchCommand"];
type Problem = components["schemas"]["Problem"];

const client = createClient<paths>({
  baseUrl: "http://127.0.0.1:8000",
  headers: { Authorization: `Bearer ${process.env["TOKEN"]}` },
});
const TASKS = "/api/tasks/{user_id}/tasks";
const LISTS = "/api/tasks/{user_id}/lists";
const ada = { params: { path: { user_id: "ada" } } };

function result<T>({ data, error }: { data?: T; error?: Problem }): T {
  if (error) throw new Error(error.detail);
  return data as T;
}

function flag(value: boolean): string {
  return value ? "True" : "False";
}

function run(commands: Command[], options: Partial<Batch> = {}) {
  return client.POST("/api/tasks/{user_id}/batch", { ...ada, body: { ...options, commands } });
}

function complete(id: string, version: string): Command {
  return { op: "complete", id, if_match: version };
}

const milk = result(await client.POST(TASKS, { ...ada, body: { title: "Milk" } }));
const labels = ["home"];
const atomic = result(
  await run([
    { op: "create", ref: "trip", task: { title: "Trip", labels } },
    { op: "create", task: { title: "Tent", labels, parent_id: "$trip" } },
    complete(milk.id, `"${milk.version}"`),
  ]),
);
const [trip, tent, completed] = atomic.results;
const statuses = `${trip?.status}, ${tent?.status}, ${completed?.status}`;
const isBelow = flag(tent?.task?.parent_id === trip?.task?.id);
const hasNoTask = flag(completed?.task === undefined);
console.log(`atomic: ${flag(atomic.applied)}, ${statuses}, ${isBelow}, ${completed?.etag}, ${hasNoTask}`);

const stale: Command = {
  op: "update",
  id: milk.id,
  changes: { title: "Oat milk" },
  if_match: `${milk.version}`,
};
const gone: Command = { op: "delete", id: tent?.task?.id ?? "" };
const [failed, deleted] = result(await run([stale, gone], { mode: "each" })).results;
const problem = failed?.problem;
const place = problem?.errors?.[0]?.pointer;
const isGone = flag(!(deleted?.task ?? deleted?.etag ?? deleted?.problem));
console.log(`each: ${failed?.status}, ${problem?.type}, ${place}, ${deleted?.status}, ${isGone}`);

const id = trip?.task?.id ?? "";
const trial = result(await run([{ op: "delete", id }], { dry_run: true }));
const one = { params: { path: { user_id: "ada", task_id: id } } };
const kept = result(await client.GET("/api/tasks/{user_id}/tasks/{task_id}", one));
const isKept = flag(kept.version === trip?.task?.version);
console.log(`tried: ${flag(trial.applied)}, ${trial.results[0]?.status}, ${isKept}`);
const { error } = await run([{ op: "create", task: { title: "Map" } }, complete(id, "7")]);
console.log(`refused: ${error?.status}, ${error?.errors?.[0]?.pointer}`);

const rename = { ...ada, body: { label: "Home", new: "travel" } };
const renamed = result(await client.PATCH("/api/tasks/{user_id}/labels", rename));
console.log(`renamed: ${renamed.label}, ${renamed.open}, ${renamed.all}, ${flag(renamed.more)}`);
const food = result(await client.POST(LISTS, { ...ada, body: { name: "Food" } }));
result(await client.POST(TASKS, { ...ada, body: { title: "Bread", list_id: food.id } }));
const path = { user_id: "ada", list_id: food.id };
const query = { tasks: "delete", limit: 1 } as const;
const step = await client.DELETE("/api/tasks/{user_id}/lists/{list_id}", { params: { path, query } });
console.log(`step: ${step.data?.done}, ${flag(step.data?.more ?? true)}`);

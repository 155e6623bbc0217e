/** Runs the client of `docs/sync.md` once, with a copy in a file: run.js URL FILE LIMIT */

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { update, type Copy } from "./task-copy.js";

const [url = "", file = "", limit] = process.argv.slice(2);

function load(): Copy | undefined {
  if (!existsSync(file)) return undefined;
  const { token, entities } = JSON.parse(readFileSync(file, "utf8"));
  return { token, entities: new Map(entities) };
}

async function save({ token, entities }: Copy): Promise<void> {
  writeFileSync(`${file}.new`, JSON.stringify({ token, entities: [...entities] }));
  renameSync(`${file}.new`, file);
}

const headers = { Authorization: `Bearer ${process.env["TOKEN"]}` };
const copy = await update(load(), url, headers, save, Number(limit));
console.log(copy.entities.size);

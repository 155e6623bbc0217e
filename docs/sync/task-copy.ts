/** Keeps a copy of one user's lists and tasks up to date, by delta sync. */

export type Entity = { id: string; version: number; [field: string]: unknown };
export type Copy = { token: string; entities: Map<string, Entity> };

type Entry = { kind: string; id: string; task?: Entity; list?: Entity; gone?: true };
type Page = { changes: Entry[]; next: string; more: boolean; full: boolean };

/**
 * Applies all changes to a copy, and returns the new one. There is none before the first sync.
 *
 * `url` ends with `/api/tasks/{user_id}/changes`. `save` stores the copy and its token together.
 */
export async function update(
  copy: Copy | undefined,
  url: string,
  headers: Record<string, string>,
  save: (copy: Copy) => Promise<void>,
  limit = 100,
): Promise<Copy> {
  let since = copy?.token;
  let gathered: Entry[] = [];
  for (;;) {
    const query = new URLSearchParams({ limit: `${limit}`, ...(since && { since }) });
    const response = await fetch(`${url}?${query}`, { headers });
    if (response.status === 410 && since) {
      [since, gathered] = [undefined, []];
      continue;
    }
    if (!response.ok) throw new Error(`the sync failed: ${response.status}`);
    const page = (await response.json()) as Page;
    since = page.next;
    gathered.push(...page.changes);
    if (page.full) {
      copy = undefined;
      continue;
    }
    const entities = new Map(copy?.entities);
    for (const { kind, id, task, list } of gathered) {
      const entity = task ?? list;
      if (entity) entities.set(`${kind} ${id}`, entity);
      else entities.delete(`${kind} ${id}`);
    }
    copy = { token: since, entities };
    await save(copy);
    gathered = [];
    if (!page.more) return copy;
  }
}

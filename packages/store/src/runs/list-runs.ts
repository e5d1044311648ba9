import type { RunsQuery } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { given } from '../given.ts';
import { decodeCursor, timeAndIdKey, toPage } from '../page.ts';
import type { Page } from '../page.ts';
import type { Run } from './create-run.ts';

/** The kinds of the table that are shown as this one: the replay of one event is one of its own there. */
const storedKinds = (kind: RunsQuery['kind']) =>
  kind === 'replay' ? { in: ['replay', 'replay_event'] } : given(kind);

/** Runs of every kind, newest first; with `onlyProject` those of that project alone. */
export async function listRuns(
  database: Database,
  query: RunsQuery & { onlyProject?: string | null },
): Promise<Page<Run>> {
  const { limit, cursor, kind, status, onlyProject = null } = query;
  const position = cursor === undefined ? {} : { OR: olderThan(decodeCursor(timeAndIdKey, cursor)) };
  const filter = {
    kind: storedKinds(kind),
    status: given(status),
    projectId: given(onlyProject ?? undefined),
  };
  const rows = await database.run.findMany({
    where: { ...filter, ...position },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit + 1,
  });
  return toPage(rows, limit, (row) => [row.createdAt.getTime(), row.id]);
}

function olderThan([at, id]: [number, string]) {
  const createdAt = new Date(at);
  return [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: id } }];
}

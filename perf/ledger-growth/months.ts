import { addMonths, startOfMonth } from '@billing/domain';
import { deleteFinishedEvents, dropPayloadMonth, listPayloadMonths, movePayloads } from '@billing/store';
import type { Database, MovePosition } from '@billing/store';
import type { Client } from 'pg';
import { applyEvents, median, timed } from './measure.ts';

/** Applies events one after the other until `work` is done; returns how long each write took. */
async function whileWriting<T>(
  database: Database,
  { users }: { users: number },
  work: () => Promise<T>,
): Promise<{ result: T; writes: number[] }> {
  const writes: number[] = [];
  const done = new AbortController();
  const writer = (async () => {
    while (!done.signal.aborted) writes.push((await applyEvents(database, { users, size: 1 })).write);
  })();
  const result = await work().finally(() => done.abort());
  await writer;
  return { result, writes };
}

const ofWrites = (writes: number[]): string =>
  `meanwhile ${writes.length} events, write p50 ${median(writes).toFixed(2)} ms, longest ${Math.max(...writes).toFixed(1)} ms`;

/** Moves pages of payloads out of the ledger's rows, where the previous version wrote them. */
export async function movePages(
  database: Database,
  { pages, users }: { pages: number; users: number },
): Promise<string> {
  let after: MovePosition | null = { receivedAt: new Date(0), eventId: '' };
  const times: number[] = [];
  const { writes } = await whileWriting(database, { users }, async () => {
    for (let page = 0; page < pages && after !== null; page += 1) {
      const from: MovePosition = after;
      const [moved, took] = await timed(() => movePayloads(database, { after: from, keptSince: 0 }));
      if (moved.moved > 0) times.push(took);
      after = moved.after;
    }
  });
  return times.length === 0
    ? 'no payload is left to be moved'
    : `500 payloads moved in p50 ${median(times).toFixed(1)} ms, p95 ${median(times, 0.95).toFixed(1)} ms; ${ofWrites(writes)}`;
}

/** The oldest whole month of payloads leaves, and a statement's worth of rows. */
export async function leaveMonth(
  { database, client }: { database: Database; client: Client },
  { users, before }: { users: number; before: number },
): Promise<string> {
  const over = (await listPayloadMonths(database)).filter((one) => startOfMonth(addMonths(one, 1)) < before);
  const month = over[1] ?? over[0];
  if (month === undefined) return 'no month is over';
  const { rows } = await client.query<{ size: string; count: string }>(`
    SELECT pg_size_pretty(pg_total_relation_size('public.stripe_event_payloads_${month.replace('-', '_')}')) AS size,
      (SELECT reltuples::bigint FROM pg_class WHERE relname = 'stripe_event_payloads_${month.replace('-', '_')}') AS count`);
  const { result, writes } = await whileWriting(database, { users }, () =>
    timed(() => dropPayloadMonth(database, month)),
  );
  const [, rowsMs] = await timed(() => deleteFinishedEvents(database, { before: new Date(before) }));
  return `${month} (${rows[0]?.count} payloads, ${rows[0]?.size}) left in ${result[1].toFixed(0)} ms; ${ofWrites(writes)}; 2,000 rows left in ${rowsMs.toFixed(0)} ms`;
}

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readEventState, writeOutcomes } from '@billing/store';
import type { Database, LedgerOutcome, Outcome } from '@billing/store';
import type { Client } from 'pg';

export const median = (values: readonly number[], share = 0.5): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;

const ms = (value: number): string => `${value.toFixed(2)} ms`;

const spread = (values: readonly number[]): string =>
  `p50 ${ms(median(values))}, p95 ${ms(median(values, 0.95))}`;

export async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const startedAt = performance.now();
  const result = await work();
  return [result, performance.now() - startedAt];
}

const ledgerOf = (subscriptionId: string, number: string): LedgerOutcome => {
  const now = Date.now();
  const eventId = `evt_${randomBytes(16).toString('hex')}`;
  const price = { id: 'price_growth', currency: 'usd', unit_amount: 4900, text: eventId.repeat(9) };
  const object = {
    id: subscriptionId,
    customer: `cus_${number}`,
    status: 'active',
    metadata: { user_id: `user_${number}`, project_id: 'growth' },
    items: { data: [{ id: `si_${number}`, quantity: 1, price }] },
  };
  return {
    eventId,
    type: 'customer.subscription.updated',
    objectId: subscriptionId,
    customerId: `cus_${number}`,
    projectId: 'growth',
    apiVersion: null,
    status: 'applied',
    reason: null,
    awaits: null,
    created: now,
    receivedAt: now,
    processedAt: now,
    traceId: null,
    payload: { id: eventId, type: 'customer.subscription.updated', created: now, data: { object } },
  };
};

export type Times = { read: number[]; write: number[] };

/** Applies one event to each of some subscriptions: one statement reads, one writes. */
export async function applyEvents(
  database: Database,
  { users, size }: { users: number; size: number },
): Promise<{ read: number; write: number }> {
  const numbers = new Set<string>();
  while (numbers.size < size) numbers.add(String(Math.floor(Math.random() * users)));
  const events = [...numbers].map((number) => ledgerOf(`sub_${number}`, number));
  const [state, read] = await timed(() =>
    readEventState(database, {
      eventIds: events.map((event) => event.eventId),
      subscriptionIds: [...numbers].map((number) => `sub_${number}`),
      purchaseIds: [],
      customerIds: [...numbers].map((number) => `cus_${number}`),
      priceIds: ['price_growth'],
      userIds: [...numbers].map((number) => `user_${number}`),
      projectIds: ['growth'],
    }),
  );
  const outcomes = events.map((event): Outcome => {
    const stored = state.subscriptions.get(event.objectId ?? '');
    if (stored === undefined) throw new Error(`${event.objectId} is missing`);
    const owner = stored.owners.first;
    const row = { ...stored.row, snapshotAt: Date.now(), snapshotEventId: event.eventId };
    return {
      kind: 'subscription',
      row,
      hasNewItems: true,
      keepsItems: true,
      owner,
      bumps: typeof owner?.ref === 'number' ? [owner.ref] : [],
      events: [event],
    };
  });
  const [written, write] = await timed(() => writeOutcomes(database, outcomes, { erasureMark: 0 }));
  if (written.recorded.size !== size)
    throw new Error(`${size - written.recorded.size} events were not recorded`);
  return { read, write };
}

const walOf = async (client: Client): Promise<number> => {
  const { rows } = await client.query<{ bytes: string }>(
    `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS bytes`,
  );
  return Number(rows[0]?.bytes);
};

/** CPU of the one process of Postgres that serves this connection, in ms; steadier than times on a busy machine. */
async function cpuOf(database: Database): Promise<number> {
  const rows = await database.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
  const fields = readFileSync(`/proc/${rows[0]?.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  // User and system time, in hundredths of a second.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Times of `count` rounds after a tenth as many to warm up, in the words of a report. */
export async function report(
  { database, client }: { database: Database; client: Client },
  { users, size, count }: { users: number; size: number; count: number },
): Promise<string> {
  const times: Times = { read: [], write: [] };
  for (let round = 0; round < count / 10; round += 1) await applyEvents(database, { users, size });
  const wal = await walOf(client);
  const cpu = await cpuOf(database);
  for (let round = 0; round < count; round += 1) {
    const { read, write } = await applyEvents(database, { users, size });
    times.read.push(read);
    times.write.push(write);
  }
  const bytes = ((await walOf(client)) - wal) / count / size;
  const cpuMs = ((await cpuOf(database)) - cpu) / count / size;
  await client.query('TRUNCATE public.cache_invalidations');
  return `${size} event(s): read ${spread(times.read)}; write ${spread(times.write)}; ${cpuMs.toFixed(3)} ms of Postgres's CPU and ${bytes.toFixed(0)} bytes of WAL an event`;
}

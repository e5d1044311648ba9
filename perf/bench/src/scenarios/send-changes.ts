import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@billing/testing';
import type { BenchEnvironment } from '../environment/set-up.ts';
import { deliver } from '../load/deliver.ts';
import { createHttpClient } from '../load/http-client.ts';
import { failOnFailed, latenciesOf, openLoop } from '../load/open-loop.ts';
import type { Latencies } from '../load/open-loop.ts';
import type { Change } from '../load/subscription-events.ts';
import { countCpu } from '../measure/cpu-time.ts';
import type { Cpu } from '../measure/cpu-time.ts';
import { clockOffset } from '../measure/clock-offset.ts';
import type { EventRival } from './event-rivals.ts';
import { processesOf, processOf } from './rivals.ts';
import type { Look } from './look.ts';

export const perSecond = 100;
/** Until the last event's work is done that nobody waits for, such as the deletion of published rows. */
const tailMs = 400;

type Sent = { change: Change; since: number };
export type LoneTurn = {
  accepted: Latencies;
  /** From due until the commit of the event's row. */
  row: Latencies;
  value: number;
  cpu: Cpu;
  count: number;
};

/** When each change's row was committed, in milliseconds since 1970, by its key. */
async function readCommits({ commits }: EventRival, sent: readonly Sent[]): Promise<Map<string, number>> {
  const keys = sent.map(({ change }) => commits.keyOf(change));
  const found = new Map<string, number>();
  const areAllThere = async (): Promise<boolean> => {
    const { rows } = await commits.client.query<{ key: string; at: string }>(commits.sql, [keys]);
    for (const { key, at } of rows) found.set(key, Number(at));
    return rows.length === keys.length;
  };
  await waitFor(areAllThere, { timeoutMs: 30_000, intervalMs: 200, what: 'every event to be written' });
  return found;
}

/**
 * Sends changes at a fixed rate, one by one, and measures from the moment at which each was due: to its 200, and to the
 * commit of its row, whose moment Postgres keeps (`track_commit_timestamp`), so that nobody has to look.
 */
export async function sendChanges(
  environment: BenchEnvironment,
  rival: EventRival,
  { seconds, look }: { seconds: number; look?: Look },
): Promise<LoneTurn> {
  const client = createHttpClient(processOf(rival, 'API').url);
  const { postgres, queueRedis, cacheRedis } = environment.shared;
  const servers = { Postgres: postgres, Redis: queueRedis, cache: cacheRedis };
  const sent: Sent[] = [];
  const acceptedMs: number[] = [];
  const request = async (number: number, since: number): Promise<void> => {
    const change = environment.nextEvent();
    sent.push({ change, since });
    await deliver(client, change);
    acceptedMs.push(performance.now() - since);
    await look?.watch({ number, change, since });
  };
  // The first second wakes up what slept while others were measured.
  failOnFailed(await openLoop({ perSecond, seconds: 1, request }), 'changes');
  for (const list of [sent, acceptedMs]) list.length = 0;
  look?.restart();
  const cpuOf = countCpu(processesOf(rival, servers));
  const startedAt = performance.now();
  const loop = await openLoop({ perSecond, seconds, request });
  const value = (loop.count / (performance.now() - startedAt)) * 1000;
  await sleep(tailMs);
  const cpu = cpuOf(sent.length);
  failOnFailed(loop, 'changes');
  client.close();
  const committed = await readCommits(rival, sent);
  const offset = clockOffset();
  const rowMs = sent.map(
    ({ change, since }) => (committed.get(rival.commits.keyOf(change)) ?? Number.NaN) - offset - since,
  );
  if (!rowMs.every((ms) => ms > 0)) throw new Error(`${rival.name} did not write a row for every change.`);
  return { accepted: latenciesOf(acceptedMs), row: latenciesOf(rowMs), value, cpu, count: sent.length };
}

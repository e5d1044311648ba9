import { waitFor } from '@billing/testing';
import { z } from 'zod';
import type { BenchEnvironment } from '../../environment/set-up.ts';
import { deliver } from '../../load/deliver.ts';
import { createHttpClient } from '../../load/http-client.ts';
import { failOnFailed, latenciesOf, openLoop } from '../../load/open-loop.ts';
import type { Latencies } from '../../load/open-loop.ts';
import { clockOffset } from '../../measure/clock-offset.ts';
import { countCpu } from '../../measure/cpu-time.ts';
import type { Cpu } from '../../measure/cpu-time.ts';
import type { Arrival } from './receiver.ts';
import type { WebhookShop } from './set-up-webhooks.ts';

export const perSecond = 100;

/** From the commit of a change to the arrival of its message. */
export type Told = { latencies: Latencies; cpu: Cpu };

const message = z.object({ data: z.object({ causes: z.array(z.string()) }) });

/** When each event was told, by its id. */
function toldAt(arrivals: readonly Arrival[]): Map<string, number> {
  const told = new Map<string, number>();
  for (const { at, body } of arrivals)
    for (const cause of message.parse(JSON.parse(body)).data.causes)
      told.set(cause.replace('stripe_event:', ''), at);
  return told;
}

/** Signed subscription events at a fixed rate, each of another user; Postgres keeps the moments of their commits. */
export async function tellChanges(
  { database, shared, nextEvent }: BenchEnvironment,
  { api, worker, receiver: { arrivals } }: WebhookShop,
  seconds: number,
): Promise<Told> {
  arrivals.length = 0;
  const client = createHttpClient(api.url);
  const events: string[] = [];
  const cpuOf = countCpu({
    API: api.pid,
    worker: worker.pid,
    Postgres: shared.postgres,
    Redis: shared.queueRedis,
    cache: shared.cacheRedis,
  });
  const request = async (): Promise<void> => {
    const change = nextEvent();
    events.push(change.eventId);
    await deliver(client, change);
  };
  failOnFailed(await openLoop({ perSecond, seconds, request }), 'changes');
  await waitFor(() => toldAt(arrivals).size >= events.length, {
    timeoutMs: 60_000,
    intervalMs: 200,
    what: 'every change to be told',
  });
  const cpu = cpuOf(events.length);
  client.close();
  const { rows } = await database.query<{ id: string; at: string }>(
    `SELECT event_id AS id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000 AS at
     FROM public.stripe_events WHERE event_id = ANY ($1)`,
    [events],
  );
  const told = toldAt(arrivals);
  const offset = clockOffset();
  const values = rows.map(({ id, at }) => (told.get(id) ?? Number.NaN) + offset - Number(at));
  if (values.length !== events.length || !values.every((ms) => ms > 0))
    throw new Error('A change was not told.');
  return { latencies: latenciesOf(values), cpu };
}

import type { Client } from 'pg';
import type { BenchEnvironment } from '../environment/set-up.ts';
import type { Running } from '../environment/start-process.ts';
import type { Change } from '../load/subscription-events.ts';
import type { Rival } from './rivals.ts';

/** Who applies subscription events, and when a row of theirs was committed. */
export type EventRival = Rival & {
  commits: {
    client: Client;
    /** `$1`: the keys of the rows. Answers key and milliseconds since 1970. */
    sql: string;
    keyOf: (change: Change) => string;
  };
};

const leanQueue = 'bench-lean';

const commitsOf = (table: string, key: string): string =>
  `SELECT ${key} AS key, extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000 AS at
   FROM ${table} WHERE ${key} = ANY ($1)`;

const byEventId = (client: Client, table: string): EventRival['commits'] => ({
  client,
  sql: commitsOf(table, 'event_id'),
  keyOf: ({ eventId }) => eventId,
});

/** A BullMQ worker on a queue of its own, so that it is idle while others are measured. */
export async function startBullmq(
  environment: BenchEnvironment,
  handler: 'empty' | 'lean',
): Promise<{ queueName: string; worker: Running }> {
  const queueName = handler === 'lean' ? leanQueue : `bench-${handler}`;
  const settings = { BENCH_HANDLER: handler, BENCH_QUEUE: queueName };
  return { queueName, worker: await environment.startPeer('servers/lean/bullmq-worker', settings) };
}

/** Our API and worker as built. */
export async function startOurs(environment: BenchEnvironment): Promise<EventRival> {
  const [api, worker] = await Promise.all([environment.startApi(), environment.startWorker()]);
  return {
    name: 'our API and worker',
    does: 'verifies and queues; then, in one transaction: ledger, rules of order and ownership, items, version, outbox; then the invalidation',
    running: { API: api, worker },
    commits: byEventId(environment.database, 'public.stripe_events'),
  };
}

/** The least that a queue and a worker need. */
export async function startLean(environment: BenchEnvironment): Promise<EventRival> {
  const api = await environment.startPeer('servers/webhook/fastify-same-work', { BENCH_QUEUE: leanQueue });
  const { worker } = await startBullmq(environment, 'lean');
  return {
    name: 'lean worker',
    does: 'Fastify verifies and adds to BullMQ; a worker runs one hand-written, prepared `pg` statement (event, subscription, its one item, version) and deletes the cache entry. No order, no ownership, no outbox',
    running: { API: api, worker },
    commits: byEventId(environment.peersDatabase, 'lean.events'),
  };
}

/** Those that write inside the request, so that Stripe waits for Postgres and nothing is kept when it is away. */
export async function startSynchronous(
  environment: BenchEnvironment,
): Promise<{ writer: EventRival; syncEngine: EventRival }> {
  const client = environment.peersDatabase;
  return {
    writer: {
      name: 'synchronous writer',
      does: 'Fastify verifies and runs the lean worker’s statement inside the request, without a queue',
      running: { API: await environment.startPeer('servers/lean/synchronous-writer') },
      commits: byEventId(client, 'lean.events'),
    },
    syncEngine: {
      name: 'sync engine',
      does: '`@supabase/stripe-sync-engine` behind Fastify, inside the request: four statements, each by itself. It keeps subscriptions and items; no events, users, versions or cache. Its row is that of its first statement',
      running: { API: await environment.startPeer('servers/sync-engine') },
      commits: {
        client,
        sql: commitsOf('stripe.subscriptions', 'id'),
        keyOf: ({ subscriptionId }) => subscriptionId,
      },
    },
  };
}

import { isHandledEventType } from '@billing/domain';
import { waitFor } from '@billing/testing';
import type { Stripe } from 'stripe';
import { featuresOf } from './api-client.ts';
import type { Shop } from './shop.ts';
import type { Stack } from './stack.ts';

type StackParts = Pick<Stack, 'database' | 'direct' | 'stripeApi' | 'clients'>;

const queueKey = (rest: string): string => `bull:stripe-events:${rest}`;

async function jobsOf({ direct }: StackParts): Promise<Set<string>> {
  const [waiting, active, paused, delayed, prioritized] = await Promise.all([
    direct.queue.lrange(queueKey('wait'), 0, -1),
    direct.queue.lrange(queueKey('active'), 0, -1),
    direct.queue.lrange(queueKey('paused'), 0, -1),
    direct.queue.zrange(queueKey('delayed'), 0, -1),
    direct.queue.zrange(queueKey('prioritized'), 0, -1),
  ]);
  return new Set([...waiting, ...active, ...paused, ...delayed, ...prioritized]);
}

export const jobCount = async (stack: StackParts): Promise<number> => (await jobsOf(stack)).size;

export type LedgerRow = { event_id: string; status: string; attempts: number };

export async function readLedger({ database }: StackParts): Promise<Map<string, LedgerRow>> {
  const { rows } = await database.pool.query<LedgerRow>(
    'SELECT event_id, status, attempts FROM stripe_events',
  );
  return new Map(rows.map((row) => [row.event_id, row]));
}

/** Events of handled types in Stripe's list; `accepted`: those whose delivery got a 2xx. */
export async function stripeEvents(
  { stripeApi }: StackParts,
  which: 'all' | 'accepted' = 'all',
): Promise<Stripe.Event[]> {
  const filter = which === 'accepted' ? { delivery_success: true } : {};
  const all = await stripeApi.events.list({ limit: 100, ...filter }).autoPagingToArray({ limit: 10_000 });
  return all.filter((event) => isHandledEventType(event.type));
}

/**
 * Events that the test sent past Stripe. A refused one may still land (a timed-out add is not taken back), which
 * is harmless, but it is no promise.
 */
export type OwnEvents = { accepted: readonly string[]; refused: readonly string[] };
const noEvents: OwnEvents = { accepted: [], refused: [] };

/**
 * Conservation: each event that got a 2xx is in the ledger or waits in the queue. What is checked is read in the
 * order in which events move, so that one that moves meanwhile is seen on one side at least.
 */
export async function lostEvents(stack: StackParts, own: OwnEvents = noEvents): Promise<string[]> {
  const accepted = (await stripeEvents(stack, 'accepted')).map((event) => event.id);
  const jobs = await jobsOf(stack);
  const ledger = await readLedger(stack);
  return [...accepted, ...own.accepted].filter((id) => !jobs.has(id) && !ledger.has(id));
}

/**
 * What keeps a run from its end: each event of Stripe, delivered or not, must have an outcome in the ledger, no job may
 * wait, and the ledger may hold no unknown event.
 */
export async function unprocessed(stack: StackParts, own: OwnEvents = noEvents): Promise<string[]> {
  const known = [...(await stripeEvents(stack)).map((event) => event.id), ...own.accepted];
  const ledger = await readLedger(stack);
  const jobs = await jobsOf(stack);
  const missing = known.filter((id) => !ledger.has(id)).map((id) => `${id} is not in the ledger`);
  const failed = [...ledger.values()]
    .filter((row) => row.status === 'failed')
    .map((row) => `${row.event_id} failed`);
  const isKnown = new Set([...known, ...own.refused]);
  const unknown = [...ledger.keys()]
    .filter((id) => !isKnown.has(id))
    .map((id) => `${id} is an unknown event`);
  return [...missing, ...failed, ...unknown, ...[...jobs].map((id) => `${id} waits`)];
}

export async function untilProcessed(
  stack: StackParts,
  { timeoutMs, own }: { timeoutMs: number; own?: OwnEvents | undefined },
): Promise<void> {
  let left: string[] = [];
  await waitFor(
    async () => {
      left = await unprocessed(stack, own);
      if (left.length > 0) throw new Error(`${left.length} left: ${left.slice(0, 3).join(', ')}`);
      return true;
    },
    { what: 'every event to have its outcome', timeoutMs, intervalMs: 200 },
  );
}

/** The sum of a counter's values, whatever their labels, in the metrics of the workers. */
export async function countedByWorkers({ workers }: Pick<Stack, 'workers'>, name: string): Promise<number> {
  const texts = await Promise.all(workers.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
  const counts = texts.join('\n').matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\d+)`, 'gm'));
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Waits until both API processes answer that the user has the feature. */
export const untilFeature = (
  { clients }: Pick<Stack, 'clients'>,
  { apiKey, userId, feature }: { apiKey: string; userId: string; feature: string },
): Promise<unknown> =>
  Promise.all(
    clients.map((client) =>
      waitFor(async () => featuresOf(await client.check(apiKey, userId)).includes(feature), {
        what: `${feature} at ${client.url}`,
        timeoutMs: 30_000,
      }),
    ),
  );

type Row = {
  id: string;
  status: string | null;
  cancel_at_period_end: boolean;
  ended_at: Date | null;
  period_end: Date | null;
};

const seconds = (date: Date | null): number | null => (date === null ? null : date.getTime() / 1000);

/** The differences between Stripe's subscriptions and our rows. */
export async function differences(stack: StackParts): Promise<string[]> {
  const theirs = await stack.stripeApi.subscriptions
    .list({ status: 'all', limit: 100 })
    .autoPagingToArray({ limit: 5_000 });
  const { rows } = await stack.database.pool.query<Row>(`
    SELECT s.id, s.status, s.cancel_at_period_end, s.ended_at,
      (SELECT min(current_period_end) FROM subscription_items i WHERE i.subscription_id = s.id) AS period_end
    FROM subscriptions s`);
  const ours = new Map(rows.map((row) => [row.id, row]));
  return theirs.flatMap((subscription) => {
    const row = ours.get(subscription.id);
    if (row === undefined) return [`${subscription.id} is missing here`];
    const expected = [
      subscription.status,
      subscription.cancel_at_period_end,
      subscription.ended_at,
      subscription.items.data[0]?.current_period_end ?? null,
    ];
    const found = [row.status, row.cancel_at_period_end, seconds(row.ended_at), seconds(row.period_end)];
    return JSON.stringify(found) === JSON.stringify(expected)
      ? []
      : [`${subscription.id}: ours ${JSON.stringify(found)}, Stripe's ${JSON.stringify(expected)}`];
  });
}

/** The users for whom an API process does not answer what Stripe's subscriptions grant. */
export async function wrongAnswers(stack: StackParts, shop: Shop): Promise<string[]> {
  const theirs = await stack.stripeApi.subscriptions
    .list({ status: 'all', limit: 100 })
    .autoPagingToArray({ limit: 5_000 });
  const entitled = new Map<string, boolean>();
  for (const { metadata, status } of theirs) {
    const userId = metadata['user_id'];
    if (userId === undefined || metadata['project_id'] !== shop.projectId) continue;
    entitled.set(userId, entitled.get(userId) === true || status === 'active' || status === 'trialing');
  }
  const wrong: string[] = [];
  for (const client of stack.clients)
    for (const [userId, isEntitled] of entitled) {
      const answer = await client.check(shop.apiKey, userId);
      const hasPro = answer.status === 200 ? featuresOf(answer).includes('pro') : answer.status;
      if (hasPro !== isEntitled) wrong.push(`${userId}: ${hasPro} at ${client.url}, not ${isEntitled}`);
    }
  return wrong;
}

/** The end of a scenario: every event has its outcome, our rows are Stripe's, and both APIs answer accordingly. */
export async function untilLikeStripe(
  stack: StackParts,
  shop: Shop,
  { timeoutMs, own }: { timeoutMs: number; own?: OwnEvents | undefined },
): Promise<void> {
  await untilProcessed(stack, { timeoutMs, own });
  await waitFor(
    async () => {
      const wrong = [...(await differences(stack)), ...(await wrongAnswers(stack, shop))];
      if (wrong.length > 0) throw new Error(`${wrong.length} differences, first: ${wrong[0]}`);
      return true;
    },
    { what: "our state to be Stripe's", timeoutMs: 20_000, intervalMs: 250 },
  );
}

import { waitFor } from '@billing/testing';
import type { BenchEnvironment } from '../../environment/set-up.ts';
import { countCpu } from '../../measure/cpu-time.ts';
import type { Measured } from '../../measure/take-turns.ts';
import type { WebhookShop } from './set-up-webhooks.ts';

/** As long as a message about a user with three features. */
const entry = (code: string): object => ({
  feature_code: code,
  kind: 'boolean',
  source: 'subscription',
  source_id: 'sub_1234567890abcdef',
  product_id: 'pro',
  price_id: 'pro_monthly',
  status: 'active',
  valid_from: '2026-01-01T00:00:00.000Z',
  valid_to: '2027-01-01T00:00:00.000Z',
});

const bodyOf = (projectId: string): string =>
  JSON.stringify({
    type: 'entitlements.changed',
    timestamp: '2026-01-01T00:00:00.000Z',
    data: {
      project_id: projectId,
      user_id: '%user%',
      version: 2,
      previous_version: 1,
      causes: ['catalog'],
      changes: [{ feature_code: 'a', change: 'added' }],
      entitlements: ['a', 'b', 'c'].map(entry),
    },
  });

const fill = `
  WITH numbers AS (SELECT n, $1 || n AS id, 'told_' || n AS user_id FROM generate_series(1, $5::int) n),
  messages AS (
    INSERT INTO public.webhook_messages (id, project_id, user_id, type, version, "full")
    SELECT id, $2, user_id, 'entitlements.changed', 2, replace($3, '%user%', user_id) FROM numbers)
  INSERT INTO public.webhook_deliveries (message_id, endpoint_id, project_id, user_id, type, version, form, next_try_at)
  SELECT id, ($4::text[])[1 + n % cardinality($4::text[])], $2, user_id, 'entitlements.changed', 2, 'full', now() FROM numbers`;

/** How many deliveries a second one worker makes of those that wait, each of another user. */
export async function drainDeliveries(
  { database, shared }: BenchEnvironment,
  shop: WebhookShop,
  { endpointIds, count, round }: { endpointIds: readonly string[]; count: number; round: number },
): Promise<Measured> {
  const { projectId, worker, receiver } = shop;
  const { arrivals } = receiver;
  worker.pause();
  arrivals.length = 0;
  await database.query(fill, [
    `msg_${endpointIds.join('_')}_${round}_`,
    projectId,
    bodyOf(projectId),
    endpointIds,
    count,
  ]);
  await database.query('ANALYZE public.webhook_deliveries, public.webhook_messages');
  const cpuOf = countCpu({ worker: worker.pid, Postgres: shared.postgres });
  worker.resume();
  const isDone = async (): Promise<boolean> => {
    if (arrivals.length < count) return false;
    const left = await database.query(
      `SELECT FROM public.webhook_deliveries WHERE endpoint_id = ANY ($1) AND status = 'pending' LIMIT 1`,
      [endpointIds],
    );
    return left.rowCount === 0;
  };
  await waitFor(isDone, { timeoutMs: 120_000, intervalMs: 50, what: 'every delivery' });
  const cpu = cpuOf(count);
  const took = (arrivals.at(-1)?.at ?? 0) - (arrivals[0]?.at ?? 0);
  return { value: (arrivals.length / took) * 1000, cpu };
}

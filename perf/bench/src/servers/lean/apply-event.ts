import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { z } from 'zod';

const item = z.looseObject({
  id: z.string(),
  quantity: z.number(),
  price: z.looseObject({ id: z.string() }),
  current_period_end: z.number(),
});
const subscriptionEvent = z.looseObject({
  id: z.string(),
  type: z.string(),
  created: z.number(),
  data: z.object({
    object: z.looseObject({
      id: z.string(),
      customer: z.string(),
      status: z.string(),
      metadata: z.object({ project_id: z.string(), user_id: z.string() }),
      items: z.looseObject({ data: z.tuple([item]) }),
    }),
  }),
});

/** One statement, one trip, one commit: the event once, its subscription and item as it says, its user's version. */
const statement = `
  WITH event AS (
    INSERT INTO lean.events (event_id, type, object_id, created, payload)
    VALUES ($1, $2, $3, to_timestamp($4), $5)
    ON CONFLICT (event_id) DO NOTHING RETURNING created
  ), subscription AS (
    INSERT INTO lean.subscriptions (id, customer_id, project_id, user_id, status, snapshot_at)
    SELECT $3, $6, $7, $8, $9, created FROM event
    ON CONFLICT (id) DO UPDATE SET customer_id = EXCLUDED.customer_id, project_id = EXCLUDED.project_id,
      user_id = EXCLUDED.user_id, status = EXCLUDED.status, snapshot_at = EXCLUDED.snapshot_at
  ), item AS (
    INSERT INTO lean.subscription_items (subscription_id, item_id, stripe_price_id, quantity, current_period_end)
    SELECT $3, $10, $11, $12, to_timestamp($13) FROM event
    ON CONFLICT (subscription_id, item_id) DO UPDATE SET stripe_price_id = EXCLUDED.stripe_price_id,
      quantity = EXCLUDED.quantity, current_period_end = EXCLUDED.current_period_end
  )
  INSERT INTO lean.users AS known (project_id, user_id, version) SELECT $7, $8, 1 FROM event
  ON CONFLICT (project_id, user_id) DO UPDATE SET version = known.version + 1`;

/**
 * How little a subscription event can cost that is stored and shown: the prepared statement above, then the user's
 * cache entry is deleted. It knows subscriptions with one item and an owner in their metadata, and has no rule of
 * order, so that an older event overwrites a newer one.
 */
export function createApplyEvent(): (event: unknown) => Promise<void> {
  const pool = new Pool({
    connectionString: process.env['BENCH_DATABASE_URL'],
    max: 10,
    idleTimeoutMillis: 0,
  });
  const cache = new Redis(process.env['CACHE_REDIS_URL'] ?? '');

  return async (received) => {
    const event = subscriptionEvent.parse(received);
    const { id, customer, status, metadata, items } = event.data.object;
    const [{ id: itemId, price, quantity, current_period_end }] = items.data;
    const { project_id: projectId, user_id: userId } = metadata;
    await pool.query({
      name: 'apply-event',
      text: statement,
      values: [
        event.id,
        event.type,
        id,
        event.created,
        JSON.stringify(event),
        customer,
        projectId,
        userId,
        status,
        itemId,
        price.id,
        quantity,
        current_period_end,
      ],
    });
    await cache.del(`lean:${projectId}:${userId}`);
  };
}

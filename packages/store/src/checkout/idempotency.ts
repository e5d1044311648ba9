import { secondMs, dayMs } from '@billing/domain';
import type { Instant } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

/** Longer than any checkout may take (15 s): a key whose holder crashed is free after that. */
const claimMs = 20 * secondMs;
const rememberMs = dayMs;
const deletedAtOnce = 20;
const deletedByWorker = 1_000;

export type IdempotentRequest = { projectId: string; key: string; requestHash: Uint8Array };

/** The right to carry out a request; `lockedUntil` tells this holder from a later one. */
export type Hold = {
  projectId: string;
  key: string;
  lockedUntil: Date;
  /** When the request was first tried; stays when a crashed holder is replaced, so that Stripe recognises the request. */
  createdAt: Date;
};

export type Claim =
  | { outcome: 'claimed'; hold: Hold; stripeRequest: unknown }
  | { outcome: 'answered'; response: unknown }
  | { outcome: 'conflict' }
  | { outcome: 'in_progress' };

/**
 * Claims an idempotency key for one request: a unique row decides, not a check before. `stripeRequest`: what an earlier
 * try of the same request asked of Stripe without learning its outcome; null: nothing.
 */
export async function claimIdempotencyKey(
  database: Database,
  { projectId, key, requestHash, now }: IdempotentRequest & { now: Instant },
): Promise<Claim> {
  const at = new Date(now);
  const lockedUntil = new Date(now + claimMs);
  // For a day since the first try: as long as Stripe remembers a key.
  const isSameTry = Prisma.sql`k.expires_at > ${at} AND k.request_hash = EXCLUDED.request_hash AND k.response IS NULL`;
  const [claimed] = await database.$queryJson<{ created: Instant; stripe_request: unknown }[]>(Prisma.sql`
    WITH claimed AS (INSERT INTO public.idempotency_keys AS k (project_id, key, request_hash, locked_until, created_at, expires_at)
    VALUES (${projectId}, ${key}, ${requestHash}, ${lockedUntil}, ${at}, ${new Date(now + rememberMs)})
    ON CONFLICT (project_id, key) DO UPDATE SET
      request_hash = EXCLUDED.request_hash, response = NULL, locked_until = EXCLUDED.locked_until,
      expires_at = CASE WHEN ${isSameTry} THEN k.expires_at ELSE EXCLUDED.expires_at END,
      created_at = CASE WHEN ${isSameTry} THEN k.created_at ELSE EXCLUDED.created_at END,
      stripe_request = CASE WHEN ${isSameTry} THEN k.stripe_request END
    WHERE (k.locked_until IS NULL OR k.locked_until <= ${at}) AND (k.expires_at <= ${at} OR k.response IS NULL)
    RETURNING (extract(epoch FROM k.created_at) * 1000)::bigint AS created, k.stripe_request)
    SELECT coalesce(json_agg(claimed), '[]') FROM claimed`);
  if (claimed !== undefined)
    return {
      outcome: 'claimed',
      hold: { projectId, key, lockedUntil, createdAt: new Date(claimed.created) },
      stripeRequest: claimed.stripe_request,
    };
  const row = await database.idempotencyKey.findUnique({ where: { projectId_key: { projectId, key } } });
  // Freed in between: whoever asks again gets it.
  if (row === null) return { outcome: 'in_progress' };
  if (!Buffer.from(row.requestHash).equals(requestHash)) return { outcome: 'conflict' };
  return row.response === null ? { outcome: 'in_progress' } : { outcome: 'answered', response: row.response };
}

/** Remembers a 200 for a day, and deletes some keys that are older. */
export async function rememberAnswer(
  database: Database,
  { hold, response, now }: { hold: Hold; response: unknown; now: Instant },
): Promise<void> {
  const at = new Date(now);
  await database.$queryJson(Prisma.sql`
    WITH expired AS (
      SELECT project_id, key FROM public.idempotency_keys WHERE expires_at <= ${at}
      ORDER BY expires_at LIMIT ${deletedAtOnce} FOR UPDATE SKIP LOCKED
    ), deleted AS (
      DELETE FROM public.idempotency_keys k USING expired WHERE k.project_id = expired.project_id AND k.key = expired.key
    ), remembered AS (
      UPDATE public.idempotency_keys
      SET response = ${JSON.stringify(response)}::jsonb, stripe_request = NULL, locked_until = NULL,
        expires_at = ${new Date(now + rememberMs)}
      WHERE project_id = ${hold.projectId} AND key = ${hold.key} AND locked_until = ${hold.lockedUntil}
      RETURNING key
    )
    SELECT to_json(count(*)) FROM remembered`);
}

/** Notes what is about to be asked of Stripe. Returns false where the key is not held any more: do not ask then. */
export async function keepStripeRequest(
  database: Database,
  { hold, stripeRequest }: { hold: Hold; stripeRequest: object },
): Promise<boolean> {
  const kept = await database.$queryJson<number>(Prisma.sql`
    WITH kept AS (
      UPDATE public.idempotency_keys SET stripe_request = ${JSON.stringify(stripeRequest)}::json
      WHERE project_id = ${hold.projectId} AND key = ${hold.key} AND locked_until = ${hold.lockedUntil}
      RETURNING key)
    SELECT to_json(count(*)) FROM kept`);
  return kept === 1;
}

/** Frees the key where it is not known what Stripe did: the next try of the same request asks the same again. */
export async function releaseForRetry(
  database: Database,
  { hold, now }: { hold: Hold; now: Instant },
): Promise<void> {
  await database.$executeRaw`
    UPDATE public.idempotency_keys SET locked_until = ${new Date(now)}
    WHERE project_id = ${hold.projectId} AND key = ${hold.key} AND locked_until = ${hold.lockedUntil}`;
}

/** Deletes keys that are older than a day, some at a time; returns whether there may be more. */
export async function deleteExpiredKeys(database: Database, now: Instant): Promise<boolean> {
  const deleted = await database.$executeRaw`
    DELETE FROM public.idempotency_keys WHERE (project_id, key) IN (
      SELECT project_id, key FROM public.idempotency_keys WHERE expires_at <= ${new Date(now)}
      ORDER BY expires_at LIMIT ${deletedByWorker} FOR UPDATE SKIP LOCKED)`;
  return deleted === deletedByWorker;
}

/** Frees the key after anything but a 200. */
export async function releaseIdempotencyKey(database: Database, hold: Hold): Promise<void> {
  await database.$executeRaw`
    DELETE FROM public.idempotency_keys
    WHERE project_id = ${hold.projectId} AND key = ${hold.key} AND locked_until = ${hold.lockedUntil}`;
}

import { secondMs, dayMs } from '@billing/domain';
import type { Instant } from '@billing/domain';
import type { Database } from '../create-database.ts';

/** Longer than any checkout may take (15 s): a key whose holder crashed is free after that. */
const claimMs = 20 * secondMs;
const rememberMs = dayMs;
const deletedAtOnce = 20;

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
  | { outcome: 'claimed'; hold: Hold }
  | { outcome: 'answered'; response: unknown }
  | { outcome: 'conflict' }
  | { outcome: 'in_progress' };

/** Claims an idempotency key for one request: a unique row decides, not a check before. */
export async function claimIdempotencyKey(
  database: Database,
  { projectId, key, requestHash, now }: IdempotentRequest & { now: Instant },
): Promise<Claim> {
  const at = new Date(now);
  const lockedUntil = new Date(now + claimMs);
  const rows = await database.$queryRaw<{ createdAt: Date }[]>`
    INSERT INTO public.idempotency_keys AS k (project_id, key, request_hash, locked_until, created_at, expires_at)
    VALUES (${projectId}, ${key}, ${requestHash}, ${lockedUntil}, ${at}, ${new Date(now + rememberMs)})
    ON CONFLICT (project_id, key) DO UPDATE SET
      request_hash = EXCLUDED.request_hash, response = NULL, locked_until = EXCLUDED.locked_until,
      expires_at = EXCLUDED.expires_at,
      created_at = CASE WHEN k.expires_at > ${at} AND k.request_hash = EXCLUDED.request_hash
        THEN k.created_at ELSE EXCLUDED.created_at END
    WHERE k.expires_at <= ${at} OR (k.response IS NULL AND k.locked_until <= ${at})
    RETURNING k.created_at AS "createdAt"`;
  const [claimed] = rows;
  if (claimed !== undefined)
    return { outcome: 'claimed', hold: { projectId, key, lockedUntil, createdAt: claimed.createdAt } };
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
  await database.$executeRaw`
    WITH expired AS (
      SELECT project_id, key FROM public.idempotency_keys WHERE expires_at <= ${at}
      ORDER BY expires_at LIMIT ${deletedAtOnce} FOR UPDATE SKIP LOCKED
    ), deleted AS (
      DELETE FROM public.idempotency_keys k USING expired WHERE k.project_id = expired.project_id AND k.key = expired.key
    )
    UPDATE public.idempotency_keys
    SET response = ${JSON.stringify(response)}::jsonb, locked_until = NULL, expires_at = ${new Date(now + rememberMs)}
    WHERE project_id = ${hold.projectId} AND key = ${hold.key} AND locked_until = ${hold.lockedUntil}`;
}

/** Frees the key after anything but a 200. */
export async function releaseIdempotencyKey(database: Database, hold: Hold): Promise<void> {
  await database.$executeRaw`
    DELETE FROM public.idempotency_keys
    WHERE project_id = ${hold.projectId} AND key = ${hold.key} AND locked_until = ${hold.lockedUntil}`;
}

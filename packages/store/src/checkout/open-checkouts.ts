import { hourMs, secondMs } from '@billing/domain';
import type { Instant } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

/** Longer than any checkout may take (15 s): slots whose holder crashed are free after that. */
const claimMs = 20 * secondMs;
const keptMs = hourMs;
const deletedAtOnce = 1_000;

/** What one open page stands for: a group of plans, or a price that has none. */
export type Slots = { userRef: bigint; slots: readonly string[] };

/** The right to make a page for these slots; `lockedUntil` tells this holder from a later one. */
export type SlotsHold = Slots & { lockedUntil: Date };

/** The page that was made for a slot last, and until when it may be open. */
export type OpenCheckout = { slot: string; sessionId: string; requestHash: string; expiresAt: Instant };

type ClaimedSlot = {
  slot: string;
  sessionId: string | null;
  requestHash: string | null;
  expiresAt: Instant;
};

/** Frees slots; those without a page are gone. */
export async function releaseSlots(
  database: Database,
  { userRef, slots, lockedUntil }: SlotsHold,
): Promise<void> {
  const isHeld = Prisma.sql`user_ref = ${userRef} AND slot = ANY(${[...slots]}::text[]) AND locked_until = ${lockedUntil}`;
  await database.$executeRaw`DELETE FROM public.open_checkouts WHERE ${isHeld} AND session_id IS NULL`;
  await database.$executeRaw`UPDATE public.open_checkouts SET locked_until = NULL WHERE ${isHeld}`;
}

/**
 * Claims slots of a user, all or none, and says which pages may be open for them. Null: another request makes a page for one
 * of them. Of a user who was erased meanwhile there is nothing to claim.
 */
export async function claimSlots(
  database: Database,
  { userRef, slots, now }: Slots & { now: Instant },
): Promise<{ hold: SlotsHold; open: OpenCheckout[] } | null> {
  const lockedUntil = new Date(now + claimMs);
  const sorted = [...slots].sort();
  const { known, claimed } = await database.$queryJson<{ known: boolean; claimed: ClaimedSlot[] }>(Prisma.sql`
    WITH owner AS MATERIALIZED (SELECT id FROM public.users WHERE id = ${userRef} FOR KEY SHARE),
    claimed AS (
      INSERT INTO public.open_checkouts AS o (user_ref, slot, locked_until, expires_at)
      SELECT owner.id, slot, ${lockedUntil}::timestamptz, ${lockedUntil}::timestamptz FROM owner, unnest(${sorted}::text[]) AS slot
      ON CONFLICT (user_ref, slot) DO UPDATE SET locked_until = EXCLUDED.locked_until
      WHERE o.locked_until IS NULL OR o.locked_until <= ${new Date(now)}
      RETURNING o.slot, o.session_id AS "sessionId", o.request_hash AS "requestHash",
        (extract(epoch FROM o.expires_at) * 1000)::bigint AS "expiresAt")
    SELECT json_build_object('known', EXISTS (SELECT FROM owner),
      'claimed', coalesce((SELECT json_agg(claimed) FROM claimed), '[]'))`);
  const hold = { userRef, slots: claimed.map(({ slot }) => slot), lockedUntil };
  if (known && claimed.length < sorted.length) {
    await releaseSlots(database, hold);
    return null;
  }
  const open = claimed.flatMap(({ slot, sessionId, requestHash, expiresAt }) =>
    sessionId === null || requestHash === null || expiresAt <= now
      ? []
      : [{ slot, sessionId, requestHash, expiresAt }],
  );
  return { hold, open };
}

/** Notes the page that was made, and frees the slots. */
export async function keepOpenCheckout(
  database: Database,
  hold: SlotsHold,
  { sessionId, requestHash, expiresAt }: Omit<OpenCheckout, 'slot'>,
): Promise<void> {
  await database.$executeRaw`
    UPDATE public.open_checkouts
    SET session_id = ${sessionId}, request_hash = ${requestHash}, expires_at = ${new Date(expiresAt)}, locked_until = NULL
    WHERE user_ref = ${hold.userRef} AND slot = ANY(${[...hold.slots]}::text[]) AND locked_until = ${hold.lockedUntil}`;
}

/** Deletes what ended an hour ago, some at a time; returns whether there may be more. */
export async function deleteEndedCheckouts(database: Database, now: Instant): Promise<boolean> {
  const deleted = await database.$executeRaw`
    DELETE FROM public.open_checkouts WHERE (user_ref, slot) IN (
      SELECT user_ref, slot FROM public.open_checkouts WHERE expires_at <= ${new Date(now - keptMs)}
      ORDER BY expires_at LIMIT ${deletedAtOnce} FOR UPDATE SKIP LOCKED)`;
  return deleted === deletedAtOnce;
}

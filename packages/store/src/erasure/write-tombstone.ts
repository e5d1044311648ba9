import type { Queries } from '../create-database.ts';
import type { ErasureKeys } from './erasure-keys.ts';
import type { Belongings, ErasedRow } from './find-belongings.ts';

export type Tombstone = { digest: string; version: bigint; erasedAt: Date };

const idsOf = ({ subscriptions, purchases, customers, otherIds }: Belongings): string[] => [
  ...[...subscriptions, ...purchases, ...customers].map(({ id }) => id),
  ...otherIds,
];

/**
 * Leaves what keeps the user from coming back by an event: a digest of who it was, and Stripe's ids of what the user had.
 * `at`: when the user was erased before, which a repetition after a restore keeps; absent: now. A digest that an older key made
 * is replaced by one of the first key.
 */
export async function writeTombstone(
  tx: Queries,
  { projectId, userId, ref, version }: ErasedRow,
  { keys, belongings, at }: { keys: ErasureKeys; belongings: Belongings; at?: Date | undefined },
): Promise<Tombstone> {
  const [first, ...older] = keys.digestsOf({ projectId, userId });
  if (first === undefined) throw new Error('no erasure key is configured');
  const all = [first, ...older].map(({ digest }) => digest);
  const [known] = await tx.$queryRaw<{ version: bigint; now: Date }[]>`
    SELECT coalesce(max(version), 0)::bigint AS version, clock_timestamp() AS now FROM public.erased_users
    WHERE digest = ANY(ARRAY(SELECT decode(one, 'hex') FROM unnest(${all}::text[]) AS one))`;
  const erasedAt = at ?? known?.now ?? new Date();
  const own = ref === null ? 0n : version + 1n;
  const kept = known !== undefined && known.version > own ? known.version : own;
  await tx.$executeRaw`
    DELETE FROM public.erased_users
    WHERE digest = ANY(ARRAY(SELECT decode(one, 'hex') FROM unnest(${older.map(({ digest }) => digest)}::text[]) AS one))`;
  await tx.$executeRaw`
    INSERT INTO public.erased_users (digest, key_id, project_id, version, erased_at)
    VALUES (decode(${first.digest}, 'hex'), ${first.keyId}, ${projectId}, ${kept}, ${erasedAt})
    ON CONFLICT (digest) DO UPDATE SET
      version = EXCLUDED.version, erased_at = EXCLUDED.erased_at`;
  await tx.$executeRaw`
    UPDATE public.erasure_mark SET sequence = sequence + 1`;
  await tx.$executeRaw`
    INSERT INTO public.erased_objects (object_id, project_id, erased_at)
    SELECT DISTINCT id, ${projectId}, ${erasedAt}::timestamptz FROM unnest(${idsOf(belongings)}::text[]) AS id
    ON CONFLICT (object_id, project_id) DO UPDATE SET erased_at = EXCLUDED.erased_at`;
  return { digest: first.digest, version: kept, erasedAt };
}

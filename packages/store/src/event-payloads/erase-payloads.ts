import type { Queries } from '../create-database.ts';

/**
 * Deletes what the ledger keeps of these events' content; their rows stay. A replay then asks Stripe. Rows are locked
 * first, in the order of their ids as everywhere, so that nobody moves or writes a payload meanwhile.
 */
export async function erasePayloads(
  tx: Pick<Queries, '$queryRaw' | '$executeRaw'>,
  eventIds: readonly string[],
): Promise<void> {
  const ids = [...eventIds];
  await tx.$queryRaw`
    SELECT event_id FROM public.stripe_events WHERE event_id = ANY(${ids}::text[]) ORDER BY event_id FOR UPDATE`;
  await tx.$executeRaw`
    UPDATE public.stripe_events SET payload = NULL WHERE event_id = ANY(${ids}::text[]) AND payload IS NOT NULL`;
  await tx.$executeRaw`
    DELETE FROM public.stripe_event_payloads kept USING public.stripe_events e
    WHERE e.event_id = ANY(${ids}::text[]) AND kept.event_id = e.event_id AND kept.received_at = e.received_at`;
}

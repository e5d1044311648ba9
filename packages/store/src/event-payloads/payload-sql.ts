import { Prisma } from '../generated/client.ts';

/**
 * The payload of a row of the ledger that a query calls `row`; null: it is no longer kept. The previous version wrote it
 * in the row itself. The row's own moment leads to the one partition that can have it.
 */
export const payloadOf = (row: string): Prisma.Sql =>
  Prisma.raw(`coalesce(${row}.payload, (
    SELECT kept.payload FROM public.stripe_event_payloads kept
    WHERE kept.event_id = ${row}.event_id AND kept.received_at = ${row}.received_at))`);

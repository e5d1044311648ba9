import type { QuarantineOut } from '@billing/domain';
import { groupBy } from '../../parts/group-by.ts';

/** All that waits for one thing: a customer, a price, or a word about one object. */
export type Waiting = {
  key: string;
  awaits: string | null;
  /** Of what waits for no customer or price. */
  objectId: string | null;
  reasons: string[];
  /** Since when the oldest of it waits. */
  since: string;
  rows: readonly QuarantineOut[];
};

/** Prices that were once plans have ids of their own making. */
export const isPrice = (awaits: string, reasons: readonly (string | null)[]): boolean =>
  awaits.startsWith('price_') || reasons.includes('unknown_price');

/** What one mapping releases stands together; else each object by itself, as each has an owner of its own. */
function keyOf({ awaits, reason, object_id: objectId, event_id: eventId }: QuarantineOut): string {
  const isMapped = awaits !== null && (awaits.startsWith('cus_') || isPrice(awaits, [reason]));
  return isMapped ? awaits : (objectId ?? awaits ?? eventId ?? '');
}

/** What waits, by what it waits for; what began to wait last comes first. */
export const byAwaited = (rows: readonly QuarantineOut[]): Waiting[] =>
  [...groupBy(rows, keyOf)].map(([key, own]) => ({
    key,
    awaits: own[0]?.awaits ?? null,
    objectId: own[0]?.object_id ?? null,
    reasons: [...new Set(own.flatMap(({ reason }) => reason ?? []))],
    since: own.map(({ received_at: at }) => at).toSorted()[0] ?? '',
    rows: own,
  }));

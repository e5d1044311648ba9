import type { Database } from '../create-database.ts';
import type { StripeEvent } from '../generated/client.ts';

/** A ledger row with the event itself: what a replay applies again. */
export type StoredEvent = StripeEvent;

export const getLedgerEvent = (database: Database, eventId: string): Promise<StoredEvent | null> =>
  database.stripeEvent.findUnique({ where: { eventId } });

export type LedgerWindow = {
  objectId: string | null;
  from: Date | null;
  to: Date | null;
  /** Where the page before ended. */
  after: { created: Date; eventId: string } | null;
  limit: number;
};

/** Events of one object, or created in a window of time, oldest first. */
export function findLedgerEvents(database: Database, window: LedgerWindow): Promise<StoredEvent[]> {
  const { objectId, from, to, after, limit } = window;
  const created = { ...(from === null ? {} : { gte: from }), ...(to === null ? {} : { lt: to }) };
  const position =
    after === null
      ? {}
      : {
          OR: [
            { created: { gt: after.created } },
            { created: after.created, eventId: { gt: after.eventId } },
          ],
        };
  return database.stripeEvent.findMany({
    where: { AND: [objectId === null ? {} : { objectId }, { created }, position] },
    orderBy: [{ created: 'asc' }, { eventId: 'asc' }],
    take: limit,
  });
}

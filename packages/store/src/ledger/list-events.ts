import type { EventsQuery, QuarantineQuery } from '@billing/domain';
import type { Database } from '../create-database.ts';
import type { StripeEvent } from '../generated/client.ts';
import { decodeCursor, timeAndIdKey, toPage } from '../page.ts';
import type { Page } from '../page.ts';

/** A ledger row without the event itself. */
export type LedgerRow = Omit<StripeEvent, 'payload'>;

type Filter = { status?: string; type?: string; objectId?: string; reason?: string };

/** What became of each event, newest first. */
export function listEvents(database: Database, query: EventsQuery): Promise<Page<LedgerRow>> {
  const filter = {
    ...(query.status === undefined ? {} : { status: query.status }),
    ...(query.type === undefined ? {} : { type: query.type }),
    ...(query.object_id === undefined ? {} : { objectId: query.object_id }),
  };
  return listLedger(database, filter, query);
}

/** The events that wait for somebody to map a customer or a price, or to look at them, newest first. */
export function listQuarantine(database: Database, query: QuarantineQuery): Promise<Page<LedgerRow>> {
  const reason = query.reason === undefined ? {} : { reason: query.reason };
  return listLedger(database, { status: 'quarantined', ...reason }, query);
}

async function listLedger(
  database: Database,
  filter: Filter,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<LedgerRow>> {
  const position = cursor === undefined ? {} : before(decodeCursor(timeAndIdKey, cursor));
  const rows = await database.stripeEvent.findMany({
    where: { ...filter, ...position },
    orderBy: [{ processedAt: 'desc' }, { eventId: 'desc' }],
    take: limit + 1,
    omit: { payload: true },
  });
  return toPage(rows, limit, (row) => [row.processedAt.getTime(), row.eventId]);
}

/** Rows after the cursor's; the first condition is what the index can use. */
function before([at, eventId]: [number, string]) {
  const processedAt = new Date(at);
  const isBefore = [{ processedAt: { lt: processedAt } }, { processedAt, eventId: { lt: eventId } }];
  return { processedAt: { lte: processedAt }, OR: isBefore };
}

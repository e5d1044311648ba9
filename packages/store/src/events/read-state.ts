import type { Database } from '../create-database.ts';
import type { Prisma } from '../generated/client.ts';
import { createTemplates } from '../sql-template.ts';
import type { EventState, StateKeys } from './event-state.ts';
import { stateSql } from './state-sql.ts';
import { toEventState } from './to-event-state.ts';
import type { StateRow } from './to-event-state.ts';

const templateFor = createTemplates(stateSql);

/** The keys by the names that the statement gives them, each key once. */
function listsOf({ relatedIds = [], productIds = [], ...keys }: StateKeys) {
  return {
    event_ids: [...new Set(keys.eventIds)],
    subscription_ids: [...new Set(keys.subscriptionIds)],
    purchase_ids: [...new Set(keys.purchaseIds)],
    customer_ids: [...new Set(keys.customerIds)],
    price_ids: [...new Set(keys.priceIds)],
    user_ids: [...new Set(keys.userIds)],
    project_ids: [...new Set(keys.projectIds)],
    product_ids: [...new Set(productIds)],
    related_ids: [...new Set(relatedIds)],
  };
}

function readStatement(keys: StateKeys): Prisma.Sql {
  const { related_ids, ...lists } = listsOf(keys);
  const isLone = Object.values(lists).every(({ length }) => length <= 1);
  const shape = {
    isLone,
    // Each further shape is a statement that every connection keeps; a batch of many nearly always has some.
    hasSubscriptions: !isLone || lists.subscription_ids.length > 0,
    hasPurchases: lists.purchase_ids.length > 0,
    hasRelated: lists.purchase_ids.length > 0 || related_ids.length > 0,
  };
  const values = isLone
    ? Object.fromEntries(Object.entries(lists).map(([name, [first]]) => [name, first]))
    : lists;
  return templateFor(shape)({ ...values, related_ids });
}

/** Reads, in one statement and so of one moment, all that deciding a batch of events needs. */
export const readEventState = async (
  database: Pick<Database, '$queryJson'>,
  keys: StateKeys,
): Promise<EventState> => toEventState(await database.$queryJson<StateRow>(readStatement(keys)));

import type { BoughtItem, Cause, Instant } from '@billing/domain';
import { objectKeyOf } from './outcomes.ts';
import type { LedgerOutcome, Outcome } from './outcomes.ts';
import { hasNewItems, losesItems, newUsersOf, ownersOf, shapeOf, toBatch } from './batch-shape.ts';
import type { Batch, ObjectWithOwners } from './batch-shape.ts';
import type { WriteShape } from './write-shape.ts';
import {
  eventTable,
  purchaseItemTable,
  purchaseTable,
  subscriptionItemTable,
  subscriptionTable,
} from './tables.ts';

/** What the statement that writes a batch is made of, and its values. */
export function toStatement(
  outcomes: readonly Outcome[],
  cause: Cause | null,
): { shape: WriteShape; values: StatementValues } {
  const batch = toBatch(outcomes, cause);
  const shape = shapeOf(batch);
  const newUsers = shape.hasNewUsers ? { new_users: JSON.stringify(batch.newUsers) } : {};
  const rows = shape.isLone ? loneValues(batch) : listsOf(batch);
  return { shape, values: { ...newUsers, ...rows, is_paced: cause === 'import' } };
}

type StatementValues = Record<string, unknown>;

/** A value for every column. */
const toColumns = (item: BoughtItem) => ({ ...item, stripeProductId: item.stripeProductId ?? null });

/** Each kind of row as a list in JSON. */
function listsOf({ outcomes, objects, subscriptions, purchases, deletions, cause }: Batch): StatementValues {
  return {
    marks: JSON.stringify(objects.flatMap((one) => marksOf(one, cause))),
    bumps: JSON.stringify(
      objects.flatMap((one) =>
        one.bumps.map((userRef) => ({ object_key: objectKeyOf(one), user_ref: userRef })),
      ),
    ),
    owners: JSON.stringify(objects.flatMap(ownerRowsOf)),
    subscriptions: listOf(subscriptions, (one) => [subscriptionTable.toJson(one.row, withObject(one))]),
    subscription_items: listOf(subscriptions.filter(hasNewItems), ({ row: { id: subscriptionId, items } }) =>
      items.map((item) => subscriptionItemTable.toJson(item, { subscriptionId })),
    ),
    purchases: listOf(purchases, (one) => [purchaseTable.toJson(one.row, withObject(one))]),
    purchase_items: listOf(purchases.filter(hasNewItems), ({ row: { id: purchaseId, items } }) =>
      items.map((item) => purchaseItemTable.toJson(toColumns(item), { purchaseId })),
    ),
    tombstones: JSON.stringify(deletions.map(toTombstone)),
    stripe_events: listOf(outcomes, eventsOf),
  };
}

/** The one row of each kind, as values. */
function loneValues({ outcomes, objects, subscriptions, purchases, cause }: Batch): StatementValues {
  const values: StatementValues = {
    user_ref: objects[0]?.bumps[0],
    cause: outcomes.flatMap((outcome) => causesOf(outcome, cause))[0],
  };
  for (const one of subscriptions) {
    const { id: subscriptionId, items } = one.row;
    subscriptionTable.setValues(values, one.row, withObject(one));
    for (const item of items) subscriptionItemTable.setValues(values, item, { subscriptionId });
  }
  for (const one of purchases) {
    const { id: purchaseId, items } = one.row;
    purchaseTable.setValues(values, one.row, withObject(one));
    for (const item of items) purchaseItemTable.setValues(values, toColumns(item), { purchaseId });
  }
  for (const outcome of outcomes)
    for (const event of outcome.events) setEvent(values, event, objectKeyOf(outcome));
  return values;
}

/** The events that count; without any what else brings the change. */
function causesOf({ events }: Outcome, cause: Cause | null): (Cause | null)[] {
  const applied = events.filter(({ status }) => status === 'applied');
  const counting = applied.length > 0 ? applied : events;
  return counting.length === 0 ? [cause] : counting.map(({ eventId }): Cause => `stripe_event:${eventId}`);
}

/** Whom an object concerns, and why: users by their reference, new ones by their names. */
function marksOf(object: ObjectWithOwners, given: Cause | null): object[] {
  const users = [...object.bumps.map((ref) => ({ user_ref: ref })), ...newUsersOf(ownersOf(object))];
  if (users.length === 0) return [];
  const objectKey = objectKeyOf(object);
  return causesOf(object, given).flatMap((cause) =>
    users.map((user) => ({ object_key: objectKey, ...user, cause })),
  );
}

/** The rows of all as one list. */
const listOf = <T>(all: readonly T[], toRows: (one: T) => readonly string[]): string =>
  `[${all.flatMap(toRows).join(',')}]`;

/** What is stored and sent with an object's row, and the row version after the write. */
function withObject(object: ObjectWithOwners) {
  const { row, owner } = object;
  const newUser = owner?.ref === null ? owner : null;
  return {
    rowVersion: row.rowVersion + 1,
    userRef: owner?.ref ?? null,
    newProjectId: newUser?.projectId ?? null,
    newUserId: newUser?.userId ?? null,
    losesItems: losesItems(object),
  };
}

function ownerRowsOf(object: ObjectWithOwners): object[] {
  if (object.others === undefined) return [];
  const ids = { object_key: objectKeyOf(object), object_id: object.row.id };
  const rows = object.others.map(({ owner, source }) => ({
    ...ids,
    project_id: owner.projectId,
    user_id: owner.userId,
    user_ref: owner.ref,
    source,
  }));
  return [ids, ...rows];
}

const toTombstone = ({ customerId, deletedAt }: { customerId: string; deletedAt: Instant }) => ({
  id: customerId,
  deleted_at: new Date(deletedAt).toISOString(),
});

function eventsOf(outcome: Outcome): string[] {
  const objectKey = objectKeyOf(outcome);
  return outcome.events.map((event) => {
    const json = eventTable.toJson(event, { objectKey, payload: event.payload });
    return mayBeUnstorable.test(json) ? eventTable.toJson(event, { objectKey, ...storable(event) }) : json;
  });
}

/** How JSON spells NUL and lone surrogates, which are no text for Postgres. */
const mayBeUnstorable = /\\u(?:0000|d[89a-f])/;

function setEvent(values: StatementValues, event: LedgerOutcome, objectKey: string | null): void {
  const { type, apiVersion, payload } = event;
  eventTable.setValues(values, event, { objectKey, payload });
  const said = JSON.stringify([type, apiVersion]) + String(values['stripe_events_payload']);
  if (mayBeUnstorable.test(said)) eventTable.setValues(values, event, { objectKey, ...storable(event) });
}

/** What Stripe says in words of its own, without what Postgres could not store. */
const storable = ({ type, apiVersion, payload }: LedgerOutcome) => ({
  type: storableText(type),
  apiVersion: apiVersion === null ? null : storableText(apiVersion),
  payload: storableValue(payload),
});

const storableText = (text: string): string => text.replaceAll(/[\0\p{Cs}]/gu, '\uFFFD');

function storableValue(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(storableValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [storableText(key), storableValue(inner)]),
  );
}

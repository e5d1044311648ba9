import type { Instant, Owned, Owner } from '@billing/domain';
import { objectKeyOf } from './outcomes.ts';
import type { LedgerOutcome, Outcome } from './outcomes.ts';
import {
  eventTable,
  purchaseItemTable,
  purchaseTable,
  subscriptionItemTable,
  subscriptionTable,
} from './tables.ts';

/** A batch as JSON for the statement that writes it, a list of rows for each kind; null: none. */
export type OutcomeRows = {
  bumps: string;
  newUsers: string | null;
  /** Of the objects whose owners in further projects change: for each a row without a project, and one for each owner. */
  owners: string | null;
  subscriptions: string | null;
  /** Of the objects that have new ones; an empty list deletes those that are stored. */
  subscriptionItems: string | null;
  purchases: string | null;
  purchaseItems: string | null;
  tombstones: string | null;
  /** With their payloads. */
  events: string | null;
};

export function toOutcomeRows(outcomes: readonly Outcome[]): OutcomeRows {
  const subscriptions = outcomes.filter((one) => one.kind === 'subscription');
  const purchases = outcomes.filter((one) => one.kind === 'purchase');
  const deletions = outcomes.filter((one) => one.kind === 'customer_deleted');
  const objects = [...subscriptions, ...purchases];
  const newUsers = newUsersOf(
    objects.flatMap(({ owner, others = [] }) => [owner, ...others.map((one) => one.owner)]),
  );
  const owners = objects.flatMap(ownersOf);
  return {
    bumps: JSON.stringify(
      objects.flatMap((one) =>
        one.bumps.map((userRef) => ({ object_key: objectKeyOf(one), user_ref: userRef })),
      ),
    ),
    newUsers: newUsers.length === 0 ? null : JSON.stringify(newUsers),
    owners: owners.length === 0 ? null : JSON.stringify(owners),
    subscriptions: listOf(subscriptions, (one) => [subscriptionTable.toJson(one.row, withObject(one))]),
    subscriptionItems: listOf(
      subscriptions.filter((one) => one.hasNewItems),
      ({ row: { id: subscriptionId, items } }) =>
        items.map((item) => subscriptionItemTable.toJson(item, { subscriptionId })),
    ),
    purchases: listOf(purchases, (one) => [purchaseTable.toJson(one.row, withObject(one))]),
    purchaseItems: listOf(
      purchases.filter((one) => one.hasNewItems),
      ({ row: { id: purchaseId, items } }) =>
        items.map((item) => purchaseItemTable.toJson(item, { purchaseId })),
    ),
    tombstones: deletions.length === 0 ? null : JSON.stringify(deletions.map(toTombstone)),
    events: outcomes.some(({ events }) => events.length > 0) ? listOf(outcomes, eventsOf) : null,
  };
}

/** The rows of all as one list; null where there is none to ask for rows. */
function listOf<T>(all: readonly T[], toRows: (one: T) => readonly string[]): string | null {
  return all.length === 0 ? null : `[${all.flatMap(toRows).join(',')}]`;
}

type ObjectOutcome = { row: { rowVersion: number }; hasNewItems: boolean; owner: Owner | null };

/** What is stored and sent with an object's row, and the row version after the write. */
function withObject({ row, hasNewItems, owner }: ObjectOutcome) {
  const newUser = owner?.ref === null ? owner : null;
  return {
    rowVersion: row.rowVersion + 1,
    userRef: owner?.ref ?? null,
    newProjectId: newUser?.projectId ?? null,
    newUserId: newUser?.userId ?? null,
    hasNewItems,
  };
}

type ObjectWithOwners = Extract<Outcome, { others?: readonly Owned[] }>;

function ownersOf(object: ObjectWithOwners): object[] {
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

function newUsersOf(owners: readonly (Owner | null)[]): { project_id: string; user_id: string }[] {
  const users = new Map<string, { project_id: string; user_id: string }>();
  for (const owner of owners) {
    if (owner?.ref !== null) continue;
    const { projectId, userId } = owner;
    users.set(JSON.stringify([projectId, userId]), { project_id: projectId, user_id: userId });
  }
  return [...users.values()];
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

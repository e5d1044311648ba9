import type { Cause, Owned, Owner } from '@billing/domain';
import type { Outcome } from './outcomes.ts';
import type { WriteShape } from './write-shape.ts';

export type ObjectWithOwners = Extract<Outcome, { others?: readonly Owned[] }>;

type ObjectsOf<Kind extends Outcome['kind']> = readonly Extract<Outcome, { kind: Kind }>[];

/** A batch by what the statement that writes it has parts for. */
export type Batch = {
  outcomes: readonly Outcome[];
  subscriptions: ObjectsOf<'subscription'>;
  purchases: ObjectsOf<'purchase'>;
  deletions: ObjectsOf<'customer_deleted'>;
  objects: readonly ObjectWithOwners[];
  newUsers: readonly { project_id: string; user_id: string }[];
  /** Why what no event brings changes. */
  cause: Cause | null;
};

export function toBatch(outcomes: readonly Outcome[], cause: Cause | null): Batch {
  const subscriptions = outcomes.filter((one) => one.kind === 'subscription');
  const purchases = outcomes.filter((one) => one.kind === 'purchase');
  const objects = [...subscriptions, ...purchases];
  return {
    outcomes,
    subscriptions,
    purchases,
    deletions: outcomes.filter((one) => one.kind === 'customer_deleted'),
    objects,
    newUsers: newUsersOf(objects.flatMap(ownersOf)),
    cause,
  };
}

export const hasNewItems = (object: ObjectWithOwners): boolean => object.hasNewItems;
export const losesItems = (object: ObjectWithOwners): boolean =>
  object.hasNewItems && object.keepsItems !== true;

/** Whether each of its rows can be given as values. */
function isLone({ outcomes, objects, deletions }: Batch): boolean {
  const [outcome] = outcomes;
  return (
    outcomes.length === 1 &&
    outcome !== undefined &&
    outcome.events.length <= 1 &&
    deletions.length === 0 &&
    objects.every(
      (one) =>
        one.bumps.length <= 1 &&
        one.others === undefined &&
        !losesItems(one) &&
        (!one.hasNewItems || one.row.items.length === 1),
    )
  );
}

export function shapeOf(batch: Batch): WriteShape {
  const { outcomes, objects, subscriptions, purchases } = batch;
  const isOne = isLone(batch);
  return {
    isLone: isOne,
    // Nearly every batch of many has some, and each further shape is a statement that every connection keeps.
    hasBumps: !isOne || objects.some((one) => one.bumps.length > 0),
    hasNewUsers: batch.newUsers.length > 0,
    hasOwners: objects.some((one) => one.others !== undefined),
    hasSubscriptions: subscriptions.length > 0,
    hasSubscriptionItems: subscriptions.some(hasNewItems),
    hasPurchases: purchases.length > 0,
    hasPurchaseItems: purchases.some(hasNewItems),
    hasTombstones: batch.deletions.length > 0,
    hasEvents: outcomes.some(({ events }) => events.length > 0),
  };
}

export const ownersOf = ({ owner, others = [] }: ObjectWithOwners): (Owner | null)[] => [
  owner,
  ...others.map((one) => one.owner),
];

export function newUsersOf(owners: readonly (Owner | null)[]): { project_id: string; user_id: string }[] {
  const users = new Map<string, { project_id: string; user_id: string }>();
  for (const owner of owners) {
    if (owner?.ref !== null) continue;
    const { projectId, userId } = owner;
    users.set(JSON.stringify([projectId, userId]), { project_id: projectId, user_id: userId });
  }
  return [...users.values()];
}

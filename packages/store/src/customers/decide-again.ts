import { isPurchase, planOwners, withNamedPrices } from '@billing/domain';
import type { Cause, KnownOwners, OwnersPlan, PurchaseRow, SubscriptionRow } from '@billing/domain';
import type { PendingInvalidation } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import type { EventState } from '../events/event-state.ts';
import { keyOf, objectKeyOf } from '../events/outcomes.ts';
import type { ObjectKey, Outcome } from '../events/outcomes.ts';
import { readEventState } from '../events/read-state.ts';
import { writeOutcomes } from '../events/write-outcomes.ts';

/** An object whose owners were decided again. */
export type DecidedAgain = ObjectKey & {
  customerId: string | null;
  /** Ids by which events name the object. */
  eventObjectIds: readonly string[];
  plan: OwnersPlan;
};

const mostRounds = 5;

/** Decides the owners of stored objects and writes them; an object that changed meanwhile is decided again, and at last left to its writer. */
export async function decideAgain(
  tx: Queries,
  keys: readonly ObjectKey[],
  cause: Cause | null,
): Promise<{ decided: DecidedAgain[]; pending: PendingInvalidation[] }> {
  const decided = new Map<string, DecidedAgain>();
  const pending: PendingInvalidation[] = [];
  let left = keys;
  for (let round = 0; round < mostRounds && left.length > 0; round += 1) {
    const state = await readEventState(inTransaction(tx), toStateKeys(left));
    const decisions = left.flatMap((key) => decide(key, state));
    const outcomes = decisions.flatMap(({ outcome }) => outcome ?? []);
    const by = { erasureMark: state.erasureMark, cause };
    const result = outcomes.length === 0 ? null : await writeOutcomes(inTransaction(tx), outcomes, by);
    pending.push(...(result?.pending ?? []));
    left = [];
    for (const { outcome, ...one } of decisions) {
      if (outcome === null || result?.written.has(objectKeyOf(outcome) ?? '') === true)
        decided.set(keyOf(one), one);
      else left = [...left, one];
    }
  }
  return { decided: [...decided.values()], pending };
}

const inTransaction = (tx: Queries): Pick<Database, '$queryJson'> => ({
  async $queryJson<T>(statement: Parameters<Database['$queryJson']>[0]): Promise<T> {
    const [row] = await tx.$queryRaw<{ json_build_object: T }[]>(statement);
    if (row === undefined) throw new Error('a statement returned no JSON');
    return row.json_build_object;
  },
});

export const toStateKeys = (keys: readonly ObjectKey[]) => ({
  eventIds: [],
  subscriptionIds: keys.filter(({ kind }) => kind === 'subscription').map(({ id }) => id),
  purchaseIds: keys.filter(({ kind }) => kind === 'purchase').map(({ id }) => id),
  customerIds: [],
  priceIds: [],
  userIds: [],
  projectIds: [],
});

type Decision = DecidedAgain & { outcome: Outcome | null };

/** A payment that is not known to have bought anything is left as it is. */
export function decide({ kind, id }: ObjectKey, state: EventState): Decision[] {
  if (kind === 'subscription') {
    const stored = state.subscriptions.get(id);
    return stored === undefined ? [] : [decideSubscription(stored.row, stored.owners, state)];
  }
  const stored = state.purchases.get(id);
  return stored === undefined ? [] : decidePurchase(stored.row, stored.owners, state);
}

function decideSubscription(row: SubscriptionRow, known: KnownOwners, state: EventState): Decision {
  const plan = planOwners({ before: row, row, known }, state);
  const outcome: Outcome = {
    kind: 'subscription',
    row,
    hasNewItems: false,
    ...toWrite(plan, plan.isChanged),
  };
  return {
    kind: 'subscription',
    id: row.id,
    customerId: row.customerId,
    eventObjectIds: [row.id],
    plan,
    outcome: isWritten(plan, known) ? outcome : null,
  };
}

function decidePurchase(before: PurchaseRow, known: KnownOwners, state: EventState): Decision[] {
  const row = withNamedPrices(before, state, known);
  if (!isPurchase(row)) return [];
  const decided = planOwners({ before, row, known }, state);
  // An invoice that only records another purchase waits for nothing.
  const plan = state.receipts.has(row.id) ? { ...decided, waits: null } : decided;
  const hasNewItems = row !== before;
  const outcome: Outcome = {
    kind: 'purchase',
    row,
    hasNewItems,
    ...toWrite(plan, plan.isChanged || hasNewItems),
  };
  const { id, customerId, sessionId, chargeId } = row;
  const eventObjectIds = [id, sessionId, chargeId].filter((one) => one !== null);
  return [
    {
      kind: 'purchase',
      id,
      customerId,
      eventObjectIds,
      plan,
      outcome: hasNewItems || isWritten(plan, known) ? outcome : null,
    },
  ];
}

const isWritten = ({ owner, others }: OwnersPlan, { first }: KnownOwners): boolean =>
  others !== undefined || owner?.ref !== first?.ref || owner?.ref === null;

const toWrite = ({ owner, others, concerned }: OwnersPlan, isChanged: boolean) => ({
  owner,
  ...(others && { others }),
  bumps: isChanged ? [...new Set(concerned.flatMap(({ ref }) => ref ?? []))] : [],
  events: [],
});

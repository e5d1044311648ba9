import {
  fromStripeSeconds,
  reconcileSubscription,
  resolveOwner,
  subscriptionSnapshot,
  unknownSubscription,
} from '@billing/domain';
import type { ListedSubscription } from '@billing/domain';
import { readEventState } from '@billing/store';
import type { EventState, Run, StateKeys } from '@billing/store';
import type { MaintenanceDeps } from '../deps.ts';
import { namesOf } from '../apply/decide-object.ts';
import { subscriptionKind } from '../apply/object-kinds.ts';
import { lookupSubscription } from '../stripe/lookup-subscription.ts';
import { inBackground } from '../stripe/in-background.ts';
import { driftOf } from './change.ts';
import type { Change } from './change.ts';
import type { Comparison, ListedObject, Listing } from './compare-page.ts';

const present = (values: readonly (string | null)[]): string[] => values.filter((value) => value !== null);

export const noKeys: StateKeys = {
  eventIds: [],
  subscriptionIds: [],
  purchaseIds: [],
  customerIds: [],
  priceIds: [],
  userIds: [],
  projectIds: [],
};

/** What deciding whose these subscriptions are takes. */
export const subscriptionKeys = (listed: readonly ListedSubscription[]): StateKeys => {
  const snapshots = listed.map(({ snapshot }) => snapshot);
  return {
    ...noKeys,
    subscriptionIds: snapshots.map(({ id }) => id),
    customerIds: present(snapshots.map(({ customerId }) => customerId)),
    priceIds: snapshots.flatMap(({ items }) => items.map((item) => item.stripePriceId)),
    userIds: present(snapshots.map(({ claims }) => claims.userId)),
    projectIds: present(snapshots.map(({ claims }) => claims.projectId)),
  };
};

/** What makes our row say what Stripe says; null: it does, or it is not this run's project's. */
export function changeOfSubscription(
  listed: ListedSubscription,
  { state, projectId }: { state: EventState; projectId: string | null },
): Change | null {
  const { id } = listed.snapshot;
  const held = state.subscriptions.get(id);
  const before = held?.row ?? unknownSubscription(id);
  const row = reconcileSubscription(before, listed);
  const ownership = resolveOwner(row, state);
  const previous = held?.owner ?? null;
  const owner = ownership.kind === 'owned' ? ownership.owner : previous;
  if (projectId !== null && owner?.projectId !== projectId && previous?.projectId !== projectId) return null;
  const drift = driftOf('subscription', {
    id,
    before: held === undefined ? null : { row: before, owner: previous },
    after: { row, owner },
  });
  if (drift === null) return null;
  const changesEntitlements =
    owner?.ref !== previous?.ref ||
    subscriptionKind.entitlementInputs(before) !== subscriptionKind.entitlementInputs(row);
  const bumps = changesEntitlements ? stored([owner?.ref, previous?.ref]) : [];
  const outcome = subscriptionKind.outcome({
    row,
    hasNewItems: subscriptionKind.itemsOf(before) !== subscriptionKind.itemsOf(row),
    owner,
    bumps,
    events: [],
  });
  const awaitedNames = held !== undefined && previous === null && owner !== null ? namesOf(row) : [];
  const decided = {
    kind: 'write',
    outcome,
    results: new Map(),
    touched: [],
    awaited: null,
    awaitedNames,
    isContested: false,
  } as const;
  return { drift, outcome, decided };
}

const stored = (refs: readonly (number | null | undefined)[]): number[] => [
  ...new Set(refs.flatMap((ref) => ref ?? [])),
];

type Listed = ListedSubscription & { areItemsComplete: boolean };

function toListed({ logger }: MaintenanceDeps, rendered: ListedObject): Listed[] {
  const parsed = subscriptionSnapshot.safeParse(rendered);
  if (!parsed.success) {
    logger.warn('reconcile_not_understood', { object_id: rendered.id });
    return [];
  }
  return [
    {
      snapshot: parsed.data,
      createdAt: fromStripeSeconds(rendered.created),
      areItemsComplete: parsed.data.areItemsComplete,
    },
  ];
}

/** Stripe's subscriptions, the ended ones too, newest first. */
export function subscriptionListing(deps: MaintenanceDeps, run: Run): Listing<EventState> {
  const background = inBackground(deps);

  /** A list leaves out items of a subscription with very many: such a one is read by itself. */
  async function complete(listed: Listed, mayAsk: boolean): Promise<ListedSubscription | null> {
    if (listed.areItemsComplete || !mayAsk) return listed;
    const lookup = await lookupSubscription(background, listed.snapshot.id);
    return lookup.kind === 'found' ? { ...listed, snapshot: lookup.object } : null;
  }

  async function compare(
    rows: readonly ListedObject[],
    state: EventState,
    mayAsk: boolean,
  ): Promise<Comparison> {
    const changes: Change[] = [];
    for (const listed of rows.flatMap((row) => toListed(deps, row))) {
      const change = changeOfSubscription(listed, { state, projectId: run.projectId });
      if (change === null) continue;
      const whole = await complete(listed, mayAsk);
      if (whole === null)
        return { kind: 'later', pauseMs: 1_000, why: 'a subscription with many items cannot be read' };
      const sure = changeOfSubscription(whole, { state, projectId: run.projectId });
      if (sure !== null) changes.push(sure);
    }
    return { kind: 'compared', changes };
  }

  return {
    list: (after) =>
      deps.stripe.subscriptions.list({
        status: 'all',
        limit: 100,
        expand: ['data.latest_invoice'],
        ...(after === null ? {} : { starting_after: after }),
      }),
    idsOf: (rows) => rows.map((row) => row.id),
    readState: (rows) =>
      readEventState(deps.database, subscriptionKeys(rows.flatMap((row) => toListed(deps, row)))),
    compare,
  };
}

import {
  fromStripeSeconds,
  lacksDetails,
  reconcileSubscription,
  subscriptionSnapshot,
  unknownSubscription,
} from '@billing/domain';
import type { ListedSubscription } from '@billing/domain';
import type { EventState, Run } from '@billing/store';
import type { MaintenanceDeps } from '../deps.ts';
import { subscriptionKind } from '../apply/object-kinds.ts';
import { planWrite } from '../apply/plan-write.ts';
import { readState } from '../apply/read-state.ts';
import { subscriptionKeys } from '../apply/decide-events.ts';
import { lookupSubscription } from '../stripe/lookup-subscription.ts';
import { inBackground } from '../stripe/read-budget.ts';
import { changeOf } from './compare-page.ts';
import type { Change, Comparison, ListedObject, Listing } from './compare-page.ts';

/** What makes our row equal to Stripe's subscription; null: it is, or it belongs to another project than the run's. */
export function changeOfSubscription(
  listed: ListedSubscription,
  { state, projectId }: { state: EventState; projectId: string | null },
): Change | null {
  const { id } = listed.snapshot;
  const stored = state.subscriptions.get(id);
  const row = reconcileSubscription(stored?.row ?? unknownSubscription(id), listed);
  return changeOf(planWrite(subscriptionKind, { stored, row, state, createdAt: listed.snapshot.createdAt }), {
    state,
    projectId,
  });
}

function toListed({ logger, clock }: MaintenanceDeps, rendered: ListedObject): ListedSubscription[] {
  const parsed = subscriptionSnapshot.safeParse(rendered);
  if (!parsed.success) {
    logger.warn('reconcile_object_not_understood', { object_id: rendered.id });
    return [];
  }
  const createdAt = fromStripeSeconds(rendered.created);
  return [{ snapshot: parsed.data, createdAt, readAt: clock() }];
}

/** Stripe's subscriptions, the ended ones too, newest first. */
export function subscriptionListing(deps: MaintenanceDeps, run: Run): Listing {
  const background = inBackground(deps);

  /** A list truncates very many items, and names coupons of items by id: such a subscription is looked up by itself. */
  async function withAllItems(
    listed: ListedSubscription,
    mayLookUp: boolean,
  ): Promise<ListedSubscription | 'later' | 'refused'> {
    const isWhole = listed.snapshot.areItemsComplete && !lacksDetails(listed.snapshot);
    if (isWhole || !mayLookUp) return listed;
    const lookup = await lookupSubscription(background, listed.snapshot.id);
    if (lookup.kind === 'found') return { ...listed, snapshot: lookup.object };
    return lookup.kind === 'unreachable' && lookup.isRefused === true ? 'refused' : 'later';
  }

  async function compare(
    rows: readonly ListedObject[],
    state: EventState,
    mayLookUp: boolean,
  ): Promise<Comparison> {
    const changes: Change[] = [];
    for (const listed of rows.flatMap((row) => toListed(deps, row))) {
      const change = changeOfSubscription(listed, { state, projectId: run.projectId });
      if (change === null) continue;
      const whole = await withAllItems(listed, mayLookUp);
      if (whole === 'refused') continue;
      if (whole === 'later')
        return { kind: 'later', pauseMs: 1_000, why: 'a subscription whose list is cut cannot be looked up' };
      const complete = changeOfSubscription(whole, { state, projectId: run.projectId });
      if (complete !== null) changes.push(complete);
    }
    return { kind: 'compared', changes };
  }

  return {
    list: (after) =>
      deps.stripe.subscriptions.list({
        status: 'all',
        limit: 100,
        expand: ['data.latest_invoice', 'data.schedule', 'data.discounts.source.coupon'],
        ...(after === null ? {} : { starting_after: after }),
      }),
    idsOf: (rows) => rows.map((row) => row.id),
    readState: (rows, database) =>
      readState(
        { ...deps, database },
        subscriptionKeys(rows.flatMap((row) => toListed(deps, row).map(({ snapshot }) => snapshot))),
      ),
    compare,
  };
}

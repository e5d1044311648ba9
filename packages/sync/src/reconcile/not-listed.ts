import { keepForRecheck } from '@billing/domain';
import type { DriftEntry, StripeLookup, SubscriptionSnapshot } from '@billing/domain';
import { findUnmetPurchases, findUnmetSubscriptions } from '@billing/store';
import type { EventState, Run } from '@billing/store';
import type { MaintenanceDeps } from '../deps.ts';
import { subscriptionKind } from '../apply/object-kinds.ts';
import { planWrite } from '../apply/plan-write.ts';
import { readState } from '../apply/read-state.ts';
import { noKeys, subscriptionKeys } from '../apply/decide-events.ts';
import { askStripe } from '../stripe/ask-stripe.ts';
import { lookupSubscription } from '../stripe/lookup-subscription.ts';
import { inBackground } from '../stripe/read-budget.ts';
import { repair } from './compare-page.ts';
import type { Change, ComparedPage } from './compare-page.ts';
import { changeOfSubscription } from './subscriptions.ts';

/** Each needs a lookup: few at a time, so that the run saves its position often. */
const perStep = 20;

const unreachable = { kind: 'later', pauseMs: 1_000, why: 'Stripe cannot be reached' } as const;

type Position = { run: Run; after: string | null };

/** A row that Stripe does not have is reported and marked as unconfirmed; it is never ended for that. */
function changeOfMissing(deps: MaintenanceDeps, id: string, state: EventState): Change[] {
  const stored = state.subscriptions.get(id);
  if (stored === undefined) return [];
  const isKnown = stored.row.missingInStripeAt !== null;
  const row = isKnown ? stored.row : keepForRecheck(stored.row, { kind: 'missing' }, deps.clock());
  const drift = missing('subscription_missing_in_stripe', id, stored.row.status);
  return [{ ...planWrite(subscriptionKind, { stored, row, state }), drift }];
}

const missing = (kind: DriftEntry['kind'], id: string, status: string | null): DriftEntry => ({
  kind,
  object_id: id,
  before: { status },
  after: null,
});

async function changesOf(
  deps: MaintenanceDeps,
  of: {
    id: string;
    before: EventState;
    lookup: Exclude<StripeLookup<SubscriptionSnapshot>, { kind: 'unreachable' }>;
    run: Run;
  },
): Promise<Change[]> {
  const { id, before, lookup, run } = of;
  if (lookup.kind === 'missing') return changeOfMissing(deps, id, before);
  const listed = { snapshot: lookup.object, createdAt: 0, readAt: deps.clock() };
  const catalog = await readState(deps, subscriptionKeys([lookup.object]));
  const state = { ...catalog, subscriptions: before.subscriptions };
  const change = changeOfSubscription(listed, { state, projectId: run.projectId });
  return change === null ? [] : [change];
}

/** Our subscriptions that Stripe's list did not have: each is looked up by itself. */
export async function compareUnlistedSubscriptions(
  deps: MaintenanceDeps,
  { run, after }: Position,
): Promise<ComparedPage> {
  const { database } = deps;
  const query = { runId: run.id, projectId: run.projectId, after: after ?? '', limit: perStep };
  const ids = await findUnmetSubscriptions(database, query);
  const drift: DriftEntry[] = [];
  for (const id of ids) {
    const before = await readState(deps, { ...noKeys, subscriptionIds: [id] });
    const lookup = await lookupSubscription(inBackground(deps), id);
    if (lookup.kind === 'unreachable') {
      // What Stripe does not tell of this one keeps no other waiting.
      if (lookup.isRefused === true) continue;
      return unreachable;
    }
    drift.push(...(await repair(deps, run, await changesOf(deps, { id, before, lookup, run }))));
  }
  return ended(ids, drift);
}

const ended = (ids: readonly string[], drift: readonly DriftEntry[]): ComparedPage => ({
  kind: 'compared',
  synced: ids.length,
  objects: ids.length,
  drift,
  after: ids.length === perStep ? (ids.at(-1) ?? null) : null,
});

/** How the object that a purchase is keyed by is read. */
function readerOf(stripe: MaintenanceDeps['stripe'], id: string) {
  if (id.startsWith('cs_'))
    return { kind: 'checkout_session', read: () => stripe.checkout.sessions.retrieve(id) } as const;
  if (id.startsWith('in_')) return { kind: 'invoice', read: () => stripe.invoices.retrieve(id) } as const;
  return { kind: 'payment_intent', read: () => stripe.paymentIntents.retrieve(id) } as const;
}

/** Our recent purchases that none of Stripe's lists had: reported where Stripe does not know them at all. */
export async function compareUnlistedPurchases(
  deps: MaintenanceDeps,
  { run, after, since }: Position & { since: Date },
): Promise<ComparedPage> {
  const { database, stripe, metrics } = deps;
  const query = { runId: run.id, projectId: run.projectId, after: after ?? '', limit: perStep, since };
  const ids = await findUnmetPurchases(database, query);
  const drift: DriftEntry[] = [];
  for (const id of ids) {
    const { kind, read } = readerOf(stripe, id);
    const lookup = await askStripe(inBackground(deps), kind, () => read().then(() => true));
    if (lookup.kind === 'unreachable' && lookup.isRefused !== true) return unreachable;
    if (lookup.kind === 'missing') drift.push(missing('purchase_missing_in_stripe', id, 'paid'));
  }
  for (const { kind } of drift) metrics.reconcileDrift.inc({ kind });
  return ended(ids, drift);
}

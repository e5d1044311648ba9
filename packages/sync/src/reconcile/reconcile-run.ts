import { dayMs, fromStripeSeconds, toTimestamp } from '@billing/domain';
import type { ReconcileResult } from '@billing/domain';
import type { Run } from '@billing/store';
import { z } from 'zod';
import type { MaintenanceDeps } from '../deps.ts';
import { createRunWorker } from '../run-worker.ts';
import type { Step } from '../run-worker.ts';
import { noteReconciled } from '../unseen-events.ts';
import { comparePage } from './compare-page.ts';
import type { ComparedPage, Listing } from './compare-page.ts';
import { compareUnlistedPurchases, compareUnlistedSubscriptions } from './not-listed.ts';
import { paymentListing } from './payments.ts';
import type { EventTypeOf } from './payments.ts';
import { comparePrices } from './prices.ts';
import { emptyResult, phases, reconcileState, storedResult, withFound } from './reconcile-state.ts';
import type { Phase, ReconcileState } from './reconcile-state.ts';
import { askForOwners, sessionListing } from './sessions.ts';
import { subscriptionListing } from './subscriptions.ts';

/** How far back payments and sessions are compared by default: as far as Stripe's events would still bring them. */
const recentMs = 30 * dayMs;

type At = { run: Run; state: ReconcileState };
type Compare = (deps: MaintenanceDeps, at: At) => Promise<ComparedPage>;

/** The parameters that the lists of payments have in common. */
const recent = ({ state }: At, after: string | null) => ({
  limit: 100,
  created: { gte: state.since },
  ...(after === null ? {} : { starting_after: after }),
});

const payments =
  (
    typeOf: EventTypeOf,
    list: (deps: MaintenanceDeps, at: At) => Listing['list'],
    withMore = (_deps: MaintenanceDeps, _run: Run, listing: Listing): Listing => listing,
  ): Compare =>
  (deps, at) => {
    const listing = paymentListing(deps, at.run, { list: list(deps, at), typeOf });
    return comparePage(deps, { run: at.run, after: at.state.after }, withMore(deps, at.run, listing));
  };

/** What each phase compares. */
const comparisons: Record<Phase, Compare> = {
  subscriptions: (deps, { run, state }) =>
    comparePage(deps, { run, after: state.after }, subscriptionListing(deps, run)),
  subscriptions_not_listed: (deps, { run, state }) =>
    compareUnlistedSubscriptions(deps, { run, after: state.after }),
  payment_intents: payments(
    ({ status }) => (status === 'succeeded' || status === 'canceled' ? `payment_intent.${status}` : null),
    (deps, at) => (after) => deps.stripe.paymentIntents.list(recent(at, after)),
  ),
  checkout_sessions: payments(
    (rendered) => (rendered['status'] === 'complete' ? 'checkout.session.completed' : null),
    (deps, at) => (after) => deps.stripe.checkout.sessions.list(recent(at, after)),
    sessionListing,
  ),
  invoices: payments(
    (rendered) => (rendered['status'] === 'paid' ? 'invoice.paid' : null),
    (deps, at) => (after) => deps.stripe.invoices.list({ ...recent(at, after), status: 'paid' }),
  ),
  refunds: payments(
    () => 'refund.updated',
    (deps, at) => (after) => deps.stripe.refunds.list(recent(at, after)),
  ),
  disputes: payments(
    () => 'charge.dispute.updated',
    (deps, at) => (after) => deps.stripe.disputes.list(recent(at, after)),
  ),
  subscriptions_without_owner: (deps, { run, state }) => askForOwners(deps, { run, after: state.after }),
  purchases_not_listed: (deps, { run, state }) =>
    compareUnlistedPurchases(deps, { run, after: state.after, since: new Date(state.since * 1000) }),
  prices: (deps, { run, state }) => comparePrices(deps, { run, after: state.after }),
};

function advance(
  state: ReconcileState,
  page: { objects: number; after: string | null },
): ReconcileState | null {
  const objects = state.objects + page.objects;
  if (page.after !== null) return { ...state, after: page.after, objects };
  const phase = phases[phases.indexOf(state.phase) + 1];
  return phase === undefined ? null : { ...state, phase, after: null, objects };
}

function objectsOf(phase: Phase): 'subscriptions' | 'purchases' | 'prices' {
  if (phase === 'prices') return 'prices';
  return phase.startsWith('subscriptions') ? 'subscriptions' : 'purchases';
}

async function step(
  deps: MaintenanceDeps,
  run: Run,
  { state, result }: { state: ReconcileState; result: ReconcileResult },
): Promise<Step<ReconcileState, ReconcileResult>> {
  const page = await comparisons[state.phase](deps, { run, state });
  if (page.kind === 'later') return page;
  if (page.kind === 'refused') return { kind: 'failed', why: page.why };
  // The object that the cursor names was deleted: this list is read from the start.
  if (page.kind === 'missing') return { kind: 'next', state: { ...state, after: null }, result };
  const since = fromStripeSeconds(state.since);
  const found = { ...withFound(result, objectsOf(state.phase), page), looked_back_to: toTimestamp(since) };
  const next = advance(state, page);
  if (next !== null) return { kind: 'next', state: next, result: found };
  if (!run.dryRun && run.projectId === null)
    await noteReconciled(deps, { since, at: run.createdAt.getTime() });
  return { kind: 'done', result: found };
}

/** What the request asked for; absent: `recentMs`. */
const params = z.object({ since: z.iso.datetime().optional() });

/** From when on payments and sessions are compared, in seconds. */
function sinceOf({ params: given, createdAt }: Run): number {
  const asked = params.safeParse(given);
  const since = asked.success ? asked.data.since : undefined;
  return Math.floor((since === undefined ? createdAt.getTime() - recentMs : Date.parse(since)) / 1000);
}

/**
 * Compares our subscriptions and recent payments with Stripe's lists and repairs what differs, page by page; then the
 * catalog's prices, which it only reports.
 * Nothing that Stripe does not list is ended.
 */
export const reconcileRun = createRunWorker<ReconcileState, ReconcileResult>({
  state: reconcileState,
  result: storedResult,
  begin: (run) => ({
    state: {
      phase: 'subscriptions',
      after: null,
      objects: 0,
      since: sinceOf(run),
    },
    result: emptyResult,
  }),
  step,
});

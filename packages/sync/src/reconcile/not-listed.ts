import { keepForRecheck } from '@billing/domain';
import type { DriftEntry } from '@billing/domain';
import { findUnmetPurchases, findUnmetSubscriptions, readEventState } from '@billing/store';
import type { EventState, Run } from '@billing/store';
import type { MaintenanceDeps } from '../deps.ts';
import { subscriptionKind } from '../apply/object-kinds.ts';
import { inBackground } from '../stripe/in-background.ts';
import { read, lookupSubscription } from '../stripe/lookup-subscription.ts';
import { writeChanges } from './change.ts';
import type { Change } from './change.ts';
import type { ComparedPage } from './compare-page.ts';
import { changeOfSubscription, noKeys, subscriptionKeys } from './subscriptions.ts';

/** Each is a read of its own: few at a time, so that the run keeps its place. */
const perStep = 20;

const unreachable = { kind: 'later', pauseMs: 1_000, why: 'Stripe cannot be reached' } as const;

type Place = { run: Run; after: string | null };

/** A row that Stripe does not have is reported and kept in doubt; it is never ended for that. */
function changeOfMissing(deps: MaintenanceDeps, id: string, state: EventState): Change | null {
  const held = state.subscriptions.get(id);
  if (held === undefined) return null;
  const isNews = held.row.missingInStripeAt === null;
  const row = isNews ? keepForRecheck(held.row, { kind: 'missing' }, deps.clock()) : held.row;
  const changesEntitlements =
    subscriptionKind.entitlementInputs(held.row) !== subscriptionKind.entitlementInputs(row);
  const bumps = changesEntitlements ? [held.owner?.ref].flatMap((ref) => ref ?? []) : [];
  return {
    drift: missing('subscription_missing_in_stripe', id, held.row.status),
    outcome: subscriptionKind.outcome({ row, hasNewItems: false, owner: held.owner, bumps, events: [] }),
    decided: null,
  };
}

const missing = (kind: DriftEntry['kind'], id: string, status: string | null): DriftEntry => ({
  kind,
  object_id: id,
  before: { status },
  after: null,
});

async function report(
  deps: MaintenanceDeps,
  run: Run,
  changes: readonly Change[],
): Promise<readonly DriftEntry[]> {
  const drift = run.dryRun ? changes.map((change) => change.drift) : await writeChanges(deps, changes);
  for (const { kind } of drift) deps.metrics.reconcileDrift.inc({ kind });
  return drift;
}

/** Our subscriptions that Stripe's list did not have: each is asked for by itself. */
export async function compareUnlistedSubscriptions(
  deps: MaintenanceDeps,
  { run, after }: Place,
): Promise<ComparedPage> {
  const { database } = deps;
  const query = { runId: run.id, projectId: run.projectId, after: after ?? '', limit: perStep };
  const ids = await findUnmetSubscriptions(database, query);
  const drift: DriftEntry[] = [];
  for (const id of ids) {
    const before = await readEventState(database, { ...noKeys, subscriptionIds: [id] });
    const lookup = await lookupSubscription(inBackground(deps), id);
    if (lookup.kind === 'unreachable') return unreachable;
    if (lookup.kind === 'missing') {
      const change = changeOfMissing(deps, id, before);
      drift.push(...(await report(deps, run, change === null ? [] : [change])));
      continue;
    }
    const listed = { snapshot: lookup.object, createdAt: 0 };
    const catalog = await readEventState(database, subscriptionKeys([listed]));
    const state = { ...catalog, subscriptions: before.subscriptions };
    const change = changeOfSubscription(listed, { state, projectId: run.projectId });
    drift.push(...(await report(deps, run, change === null ? [] : [change])));
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

/** Our recent purchases that none of Stripe's lists had: reported where Stripe does not know them at all. */
export async function compareUnlistedPurchases(
  deps: MaintenanceDeps,
  { run, after, since }: Place & { since: Date },
): Promise<ComparedPage> {
  const { database, stripe, metrics } = deps;
  const query = { runId: run.id, projectId: run.projectId, after: after ?? '', limit: perStep, since };
  const ids = await findUnmetPurchases(database, query);
  const drift: DriftEntry[] = [];
  for (const id of ids) {
    const isSession = id.startsWith('cs_');
    const lookup = await read(inBackground(deps), isSession ? 'checkout_session' : 'payment_intent', () =>
      isSession
        ? stripe.checkout.sessions.retrieve(id).then(() => true)
        : stripe.paymentIntents.retrieve(id).then(() => true),
    );
    if (lookup.kind === 'unreachable') return unreachable;
    if (lookup.kind === 'missing') drift.push(missing('purchase_missing_in_stripe', id, 'paid'));
  }
  for (const { kind } of drift) metrics.reconcileDrift.inc({ kind });
  return ended(ids, drift);
}

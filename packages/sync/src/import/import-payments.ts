import type { EventState, Outcome } from '@billing/store';
import type { Stripe } from 'stripe';
import { ContentionError, decideUntilWritten } from '../apply/decide-until-written.ts';
import { acceptEvent } from '../apply/handlers.ts';
import { purchaseKind } from '../apply/object-kinds.ts';
import { changedFields } from '../apply/plan-write.ts';
import type { WritePlan } from '../apply/plan-write.ts';
import { groupByObject } from '../apply/target.ts';
import type { EventGroup } from '../apply/target.ts';
import { writePlans } from '../apply/write-plans.ts';
import { inBackground } from '../stripe/read-budget.ts';
import { eachPage } from './each-page.ts';
import { importOwners, noteOwnerless } from './import-owners.ts';
import { ImportError } from './import-deps.ts';
import type { ImportDeps, PhaseDeps } from './import-deps.ts';
import { readState } from './import-scope.ts';
import type { Scope } from './import-scope.ts';
import { count, note } from './import-state.ts';
import {
  chargeOf,
  disputeEvent,
  intentEvent,
  intentOf,
  isImportedEvent,
  refundEvents,
  sessionEvent,
} from './payment-events.ts';
import type { ImportedEvent } from './payment-events.ts';
import { readStripe } from './read-stripe.ts';

/**
 * Checkout sessions: one-time payments that sold one of the project's prices, and what the sessions of subscriptions say of
 * their owners.
 */
export async function importSessions(deps: PhaseDeps, scope: Scope): Promise<void> {
  const expand = ['data.line_items', 'data.payment_intent.latest_charge.refunds'];
  await eachPage(deps, {
    what: 'checkout sessions',
    list: (params) => deps.sync.stripe.checkout.sessions.list({ ...params, status: 'complete', expand }),
    handle: async (sessions) => {
      for (const session of sessions)
        if (session.mode === 'payment') await importSession(deps, scope, session);
      await importOwners(deps, scope, sessions);
    },
  });
  await noteOwnerless(deps, scope);
}

type WithMetadata = { metadata: Stripe.Metadata | null };

const namedPrice = (scope: Scope, { metadata }: WithMetadata): string | undefined =>
  scope.stripePriceOf.get(metadata?.['price_id'] ?? '');

/** Names a price by Stripe's id: our own id says nothing where neither the customer nor the project is known. */
function withStripePrice<T extends WithMetadata>({ projectId }: PhaseDeps, scope: Scope, object: T): T {
  const named = namedPrice(scope, object);
  const claimed = object.metadata?.['project_id'] ?? projectId;
  if (named === undefined || claimed !== projectId) return object;
  return { ...object, metadata: { ...object.metadata, price_id: named } };
}

async function importSession(deps: PhaseDeps, scope: Scope, session: Stripe.Checkout.Session): Promise<void> {
  count(deps.tally, 'payments_seen');
  const isOurs =
    namedPrice(scope, session) !== undefined ||
    (session.line_items?.data ?? []).some((line) => scope.stripePriceIds.has(line.price?.id ?? ''));
  if (!isOurs) return count(deps.tally, 'payments_of_other_projects');
  const charge = chargeOf(intentOf(session));
  const events = [
    sessionEvent(withStripePrice(deps, scope, session)),
    ...(await reversalEvents(deps, charge)),
  ];
  await applyPayment(deps, scope, { name: session.id, events });
}

/** Payments made without Checkout, whose own metadata names a price of the project. */
export async function importPayments(deps: PhaseDeps, scope: Scope): Promise<void> {
  await eachPage(deps, {
    what: 'payments',
    list: (params) =>
      deps.sync.stripe.paymentIntents.list({ ...params, expand: ['data.latest_charge.refunds'] }),
    handle: async (intents) => {
      for (const intent of intents) await importIntent(deps, scope, intent);
    },
  });
}

async function importIntent(deps: PhaseDeps, scope: Scope, intent: Stripe.PaymentIntent): Promise<void> {
  if (intent.status !== 'succeeded' || namedPrice(scope, intent) === undefined) return;
  // Its session has more details.
  if (await hasItsSession(deps, scope, intent.id)) return;
  count(deps.tally, 'payments_seen');
  const events = [
    intentEvent(withStripePrice(deps, scope, intent)),
    ...(await reversalEvents(deps, chargeOf(intent))),
  ];
  await applyPayment(deps, scope, { name: intent.id, events });
}

async function hasItsSession(deps: PhaseDeps, scope: Scope, id: string): Promise<boolean> {
  if (scope.plannedSessionPayments.has(id)) return true;
  const purchase = await deps.sync.database.purchase.findUnique({ where: { id } });
  return typeof purchase?.sessionId === 'string';
}

async function reversalEvents(deps: PhaseDeps, charge: Stripe.Charge | null): Promise<ImportedEvent[]> {
  if (charge === null) return [];
  if (!charge.disputed) return refundEvents(charge);
  const { stripe } = deps.sync;
  const disputes = await readStripe(deps, () => stripe.disputes.list({ charge: charge.id, limit: 100 }));
  return [...refundEvents(charge), ...disputes.data.map(disputeEvent)];
}

type Purchase = Extract<Outcome, { kind: 'purchase' }>;

type ListedPayment = {
  name: string;
  events: readonly ImportedEvent[];
  /** True: they say only what went back, and most are of payments that bought nothing of ours. */
  isMoneyBack?: boolean;
};

/** Applies a payment by the rules of events, without the ledger. Throws ImportError. */
export async function applyPayment(
  deps: PhaseDeps,
  scope: Scope,
  { name, events, isMoneyBack = false }: ListedPayment,
): Promise<void> {
  const { sync, tally } = deps;
  const accepted = events.flatMap((raw) => acceptEvent({ raw, receivedAt: sync.clock() }, sync) ?? []);
  for (const group of groupByObject(accepted.filter(({ target }) => target.kind !== 'none'))) {
    const { result, purchase } = await applyGroup(deps, scope, group);
    if (isMoneyBack) {
      if (result === 'payments_imported') count(tally, 'money_back_imported');
      continue;
    }
    count(tally, result);
    if (purchase !== null && purchase.owner === null && result !== 'payments_of_other_projects')
      note(tally, 'payments_without_user', `${name} (${purchase.row.customerId ?? 'no customer'})`);
  }
}

type Result =
  | 'payments_imported'
  | 'payments_there_already'
  | 'payments_of_other_projects'
  | 'payments_that_bought_nothing';
type Applied = { result: Result; purchase: Purchase | null };

async function applyGroup(deps: ImportDeps, scope: Scope, group: EventGroup): Promise<Applied> {
  try {
    return await decideUntilWritten<Applied>(deps.sync, group, {
      readState: (keys) => readState(deps, scope, keys),
      lookupDeps: inBackground(deps.sync),
      write: (plan, state) => writePurchase(deps, scope, { plan, state }),
    });
  } catch (error) {
    if (!(error instanceof ContentionError)) throw error;
    throw new ImportError(`${group.key} keeps changing. Run the same command again.`);
  }
}

/** Whether the payment paid an invoice of a subscription or purchase of the project, or of one without an owner yet. */
async function isForProject(
  { sync: { database }, projectId }: ImportDeps,
  row: Purchase['row'],
  state: EventState,
): Promise<boolean> {
  const holders = purchaseKind.holders(row, state);
  if (holders.length > 0) return holders.some((holder) => holder.projectId === projectId);
  if (row.subscriptionId === null) return false;
  return (await database.subscription.count({ where: { id: row.subscriptionId } })) > 0;
}

/** Writes a purchase where there is something to write; null: its row has changed meanwhile. */
async function writePurchase(
  deps: ImportDeps,
  scope: Scope,
  { plan, state }: { plan: WritePlan; state: EventState },
): Promise<Applied | null> {
  const purchase = plan.outcome;
  if (purchase?.kind !== 'purchase') return { result: 'payments_that_bought_nothing', purchase: null };
  const { owner, row } = purchase;
  if (owner !== null && owner.projectId !== deps.projectId)
    return { result: 'payments_of_other_projects', purchase };
  if (row.items.length === 0 && !(await isForProject(deps, row, state)))
    return { result: 'payments_that_bought_nothing', purchase };
  if (changedFields(plan, state).length === 0) return { result: 'payments_there_already', purchase };
  if (deps.isDryRun) {
    if (row.sessionId !== null) scope.plannedSessionPayments.add(row.id);
    return { result: 'payments_imported', purchase };
  }
  // Stripe sent none of these events: they get no ledger row, and the purchase names none of them.
  const snapshotEventId = isImportedEvent(row.snapshotEventId) ? null : row.snapshotEventId;
  const outcome: Purchase = { ...purchase, events: [], row: { ...row, snapshotEventId } };
  const written = await writePlans(deps.sync, [{ ...plan, outcome }], 'import');
  return written.length > 0 ? { result: 'payments_imported', purchase } : null;
}

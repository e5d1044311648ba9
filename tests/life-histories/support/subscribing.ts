import { dayS } from './life.ts';
import type { Life } from './life.ts';
import { finishPayment } from './paying.ts';
import { renderInvoice, renderInvoicePayment, renderSession, renderSubscription } from './stripe-objects.ts';
import type { Invoice, Item, Payment, Session, Subscription } from './stripe-objects.ts';

type Outcome = 'paid' | 'failed';

type Subscribed = {
  state: () => Subscription;
  /** The payment of the newest invoice; throws before the first one. */
  payment: () => Payment;
  /** Changes fields, with an event. */
  change: (patch: Partial<Subscription>, type?: string) => void;
  /** Bills the current period: an invoice and how its payment ends. */
  bill: (outcome: Outcome) => void;
  /** Begins the next period, paid or not. */
  renew: (outcome?: Outcome) => void;
  newItem: (price: string) => Item;
  end: () => void;
};

type Options = {
  status?: string;
  price?: string;
  quantity?: number;
  trialDays?: number;
  /** False: created in Stripe's dashboard or by another program, without a checkout session. */
  hasSession?: boolean;
};

const monthDays = 30;

const newSubscription = (life: Life, status: string, trialDays: number | null): Subscription => ({
  id: life.newId('sub'),
  customer: life.customer,
  metadata: life.metadata,
  status,
  items: [],
  cancelAt: null,
  cancelAtPeriodEnd: false,
  canceledAt: null,
  endedAt: null,
  trialEnd: trialDays === null ? null : life.now() + trialDays * dayS,
  isCollectionPaused: false,
  latestInvoice: null,
  created: life.now(),
});

/** An invoice and how its payment ends, with their events. */
function billPeriod(
  life: Life,
  { id, subscription }: { id: string; subscription: string },
  outcome: Outcome,
): Payment {
  const open: Payment = {
    intent: life.newId('pi'),
    charge: life.newId('ch'),
    customer: life.customer,
    metadata: {},
    invoice: id,
    status: 'processing',
    amount: 4_900,
    amountRefunded: 0,
    isDisputed: false,
    created: life.now(),
  };
  const invoice: Invoice = {
    id,
    customer: life.customer,
    subscription,
    status: outcome === 'paid' ? 'paid' : 'open',
    paymentIntent: open.intent,
    charge: open.charge,
    amount: open.amount,
    created: life.now(),
  };
  life.put(renderInvoice(invoice, 'pinned'));
  life.put(renderInvoicePayment(invoice));
  const payment = finishPayment(life, { ...open, status: outcome === 'paid' ? 'succeeded' : 'failed' });
  life.emit(
    outcome === 'paid' ? 'invoice.paid' : 'invoice.payment_failed',
    renderInvoice(invoice, life.shape),
  );
  return payment;
}

/** The checkout session that created the subscription. */
function completeSession(life: Life, subscription: string, paymentStatus: Session['paymentStatus']): void {
  const session = renderSession({
    id: life.newId('cs'),
    customer: life.customer,
    metadata: life.metadata,
    mode: 'subscription',
    paymentStatus,
    paymentIntent: null,
    subscription,
    amount: 4_900,
    created: life.now(),
  });
  life.put(session);
  life.emit('checkout.session.completed', session);
}

/** Begins a subscription. Stripe: since 2025-03-31 (basil) checkout creates it after the payment, so it is active. */
export function subscribe(life: Life, options: Options = {}): Subscribed {
  const { status = 'active', price = 'price_pro', quantity = 1, trialDays = null } = options;
  const begin = life.now();
  let state = newSubscription(life, status, trialDays);
  let payment: Payment | null = null;

  const newItem = (of: string, count = 1): Item => ({
    id: life.newId('si'),
    price: of,
    quantity: count,
    start: state.items[0]?.start ?? begin,
    end: state.items[0]?.end ?? begin + (trialDays ?? monthDays) * dayS,
  });

  /** Changes it at Stripe, without an event. */
  function set(patch: Partial<Subscription>): void {
    state = { ...state, ...patch };
    life.put(renderSubscription(state, 'pinned'));
  }

  function change(patch: Partial<Subscription>, type = 'customer.subscription.updated'): void {
    set(patch);
    life.emit(type, renderSubscription(state, life.shape));
  }

  function bill(outcome: Outcome): void {
    const id = life.newId('in');
    set({ latestInvoice: id });
    payment = billPeriod(life, { id, subscription: state.id }, outcome);
  }

  function renew(outcome: Outcome = 'paid'): void {
    const next = ({ end: start }: Item) => ({ start, end: start + monthDays * dayS });
    const items = state.items.map((item) => ({ ...item, ...next(item) }));
    set({ items, status: outcome === 'paid' ? 'active' : 'past_due' });
    bill(outcome);
    change({});
  }

  function end(): void {
    const canceledAt = state.canceledAt ?? life.now();
    change({ status: 'canceled', endedAt: life.now(), canceledAt }, 'customer.subscription.deleted');
  }

  function lastPayment(): Payment {
    if (payment === null) throw new Error('nothing has been billed yet');
    return payment;
  }

  set({ items: [newItem(price, quantity)] });
  if (status === 'active') bill('paid');
  change({}, 'customer.subscription.created');
  if (options.hasSession !== false)
    completeSession(life, state.id, status === 'active' ? 'paid' : 'no_payment_required');
  return { state: () => state, payment: lastPayment, change, bill, renew, newItem, end };
}

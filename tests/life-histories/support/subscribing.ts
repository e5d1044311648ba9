import { dayS } from './life.ts';
import type { Life } from './life.ts';
import { bill as billLines } from './invoicing.ts';
import type { InvoiceParts, LineParts, Outcome } from './invoicing.ts';
import { renderSession, renderSubscription } from './stripe-objects.ts';
import type { Item, Payment, Session, Subscription } from './stripe-objects.ts';

type Subscribed = {
  state: () => Subscription;
  /** The payments of the newest invoice. */
  payments: () => readonly Payment[];
  /** The first of them; throws where there is none. */
  payment: () => Payment;
  /** Changes fields, with an event. */
  change: (patch: Partial<Subscription>, type?: string) => void;
  /** Bills the current period of all items, or other lines: an invoice and how its payments end. */
  bill: (outcome: Outcome, parts?: Partial<InvoiceParts>) => void;
  /** A line for the current period of one of its items. */
  lineOf: (item: Item, amount?: number) => LineParts;
  /** Begins the next period of all items, or of those that match, paid or not. */
  renew: (outcome?: Outcome, isDue?: (item: Item) => boolean) => void;
  newItem: (price: string, days?: number) => Item;
  end: () => void;
};

type Options = {
  status?: string;
  price?: string;
  quantity?: number;
  trialDays?: number;
  /** False: created in Stripe's dashboard or by another program, without a checkout session. */
  hasSession?: boolean;
  /** Items besides the first: a price and the days of its interval. */
  more?: { price: string; days: number }[];
  /** Days of the first item's interval. */
  days?: number;
  /** Of the first invoice. */
  first?: Partial<InvoiceParts>;
  /** One-time prices on the first invoice. */
  once?: LineParts[];
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
  schedule: null,
  updatePendsUntil: null,
  created: life.now(),
});

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
    invoice: null,
    amount: 4_900,
    subtotal: 4_900,
    created: life.now(),
  });
  life.put(session);
  life.emit('checkout.session.completed', session);
}

/** Begins a subscription. Stripe: since 2025-03-31 (basil) checkout creates it after the payment, so it is active. */
export function subscribe(life: Life, options: Options = {}): Subscribed {
  const {
    status = 'active',
    price = 'price_pro',
    quantity = 1,
    trialDays = null,
    days = monthDays,
  } = options;
  const begin = life.now();
  let state = newSubscription(life, status, trialDays);
  let payments: readonly Payment[] = [];

  const newItem = (of: string, lasts?: number): Item => {
    const [first] = state.items;
    const start = lasts === undefined ? (first?.start ?? begin) : life.now();
    const periodEnd = lasts === undefined ? first?.end : start + lasts * dayS;
    return {
      id: life.newId('si'),
      price: of,
      quantity: 1,
      start,
      end: periodEnd ?? begin + (trialDays ?? monthDays) * dayS,
    };
  };

  const lineOf = ({ id: item, ...of }: Item, amount = 4_900 * of.quantity): LineParts => ({
    item,
    price: of.price,
    quantity: of.quantity,
    amount,
    start: of.start,
    end: of.end,
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

  function bill(outcome: Outcome, parts: Partial<InvoiceParts> = {}): void {
    const lines = state.items.map((item) => lineOf(item));
    const whole = { subscription: state.id, lines, outcome, ...parts };
    ({ payments } = billLines(life, whole, (latestInvoice) => set({ latestInvoice })));
  }

  function renew(outcome: Outcome = 'paid', isDue: (item: Item) => boolean = () => true): void {
    const due = state.items
      .filter(isDue)
      .map((item) => ({ ...item, start: item.end, end: 2 * item.end - item.start }));
    const items = state.items.map((item) => due.find(({ id }) => id === item.id) ?? item);
    set({ items, status: outcome === 'paid' ? 'active' : 'past_due' });
    bill(outcome, { lines: due.map((item) => lineOf(item)) });
    change({});
  }

  function end(): void {
    const canceledAt = state.canceledAt ?? life.now();
    change({ status: 'canceled', endedAt: life.now(), canceledAt }, 'customer.subscription.deleted');
  }

  function lastPayment(): Payment {
    const [payment] = payments;
    if (payment === undefined) throw new Error('nothing has been paid yet');
    return payment;
  }

  set({ items: [{ ...newItem(price, trialDays ?? days), quantity }] });
  set({ items: [...state.items, ...(options.more ?? []).map((one) => newItem(one.price, one.days))] });
  const lines = [...state.items.map((item) => lineOf(item)), ...(options.once ?? [])];
  if (status === 'active') bill('paid', { lines, ...options.first });
  change({}, 'customer.subscription.created');
  if (options.hasSession !== false)
    completeSession(life, state.id, status === 'active' ? 'paid' : 'no_payment_required');
  return {
    state: () => state,
    payments: () => payments,
    payment: lastPayment,
    change,
    bill,
    lineOf,
    renew,
    newItem,
    end,
  };
}

import { dayS } from './life.ts';
import type { Life } from './life.ts';
import { payIt } from './paying.ts';
import { renderInvoice, renderInvoicePayment, renderSession, renderSubscription } from './stripe-objects.ts';
import type { Invoice, Item, Payment, Subscription } from './stripe-objects.ts';

export type Subscribed = ReturnType<typeof subscribe>;

type Options = {
  status?: string;
  price?: string;
  quantity?: number;
  trialDays?: number;
  /** Without: made in Stripe's dashboard, or by our API. */
  hasSession?: boolean;
};

const monthDays = 30;

/** A subscription begins. Since 2025-03-31 a checkout makes it after the payment, so it starts active. */
export function subscribe(life: Life, options: Options = {}) {
  const { status = 'active', price = 'price_pro', quantity = 1, trialDays = null } = options;
  const start = life.now();
  let state: Subscription = {
    id: life.newId('sub'),
    customer: life.customer,
    metadata: life.metadata,
    status,
    items: [],
    cancelAt: null,
    cancelAtPeriodEnd: false,
    canceledAt: null,
    endedAt: null,
    trialEnd: trialDays === null ? null : start + trialDays * dayS,
    isCollectionPaused: false,
    latestInvoice: null,
    created: start,
  };

  const newItem = (of: string, count = 1): Item => ({
    id: life.newId('si'),
    price: of,
    quantity: count,
    start: state.items[0]?.start ?? start,
    end: state.items[0]?.end ?? start + (trialDays ?? monthDays) * dayS,
  });

  /** Changes it in Stripe, before an event says so. */
  function set(patch: Partial<Subscription>): void {
    state = { ...state, ...patch };
    life.put(renderSubscription(state, 'pinned'));
  }

  function change(patch: Partial<Subscription>, type = 'customer.subscription.updated'): void {
    set(patch);
    life.tell(type, renderSubscription(state, life.shape));
  }

  /** Bills the period: the invoice and how its payment ends. */
  function bill(outcome: 'paid' | 'failed'): Payment {
    const id = life.newId('in');
    const payment: Payment = {
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
      subscription: state.id,
      status: 'open',
      paymentIntent: payment.intent,
      charge: payment.charge,
      amount: payment.amount,
      created: life.now(),
    };
    set({ latestInvoice: id });
    return settle(invoice, payment, outcome);
  }

  function settle(open: Invoice, payment: Payment, outcome: 'paid' | 'failed'): Payment {
    const invoice = { ...open, status: outcome === 'paid' ? 'paid' : 'open' };
    life.put(renderInvoice(invoice, 'pinned'));
    life.put(renderInvoicePayment(invoice));
    const settled = payIt(life, { ...payment, status: outcome === 'paid' ? 'succeeded' : 'failed' });
    life.tell(
      outcome === 'paid' ? 'invoice.paid' : 'invoice.payment_failed',
      renderInvoice(invoice, life.shape),
    );
    return settled;
  }

  set({ items: [newItem(price, quantity)] });
  const isBilled = status === 'active';
  let payment: Payment | null = isBilled ? bill('paid') : null;
  change({}, 'customer.subscription.created');
  if (options.hasSession !== false) {
    const session = renderSession({
      id: life.newId('cs'),
      customer: life.customer,
      metadata: life.metadata,
      mode: 'subscription',
      paymentStatus: isBilled ? 'paid' : 'no_payment_required',
      paymentIntent: null,
      subscription: state.id,
      amount: 4_900,
      created: start,
    });
    life.put(session);
    life.tell('checkout.session.completed', session);
  }

  /** The next period begins, paid or not. */
  function renew(outcome: 'paid' | 'failed' = 'paid'): void {
    const items = state.items.map((item) => ({
      ...item,
      start: item.end,
      end: item.end + monthDays * dayS,
    }));
    set({ items, status: outcome === 'paid' ? 'active' : 'past_due' });
    payment = bill(outcome);
    change({});
  }

  return {
    id: state.id,
    state: () => state,
    payment: () => {
      if (payment === null) throw new Error('this story has not been paid yet');
      return payment;
    },
    change,
    bill: (outcome: 'paid' | 'failed'): void => {
      payment = bill(outcome);
    },
    renew,
    newItem,
    end: (): void =>
      change(
        { status: 'canceled', endedAt: life.now(), canceledAt: state.canceledAt ?? life.now() },
        'customer.subscription.deleted',
      ),
  };
}

import { bill } from '../support/invoicing.ts';
import { refund, dispute } from '../support/paying.ts';
import { subscribe } from '../support/subscribing.ts';
import { always, lenientOnly, never } from './story.ts';
import type { Story } from './story.ts';

/** What a refund or a dispute of an invoice's payment is for. */
export const invoiceStories: Story[] = [
  {
    name: 'the proration of an upgrade is refunded',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(10);
      const items = subscription.state().items.map((item) => ({ ...item, price: 'price_team' }));
      const [item] = items;
      if (item === undefined) throw new Error('no item');
      const credit = { ...subscription.lineOf({ ...item, price: 'price_pro' }, -3_000), isProration: true };
      const charge = { ...subscription.lineOf(item, 5_000), isProration: true };
      subscription.bill('paid', { lines: [credit, charge] });
      subscription.change({ items });
      life.waitDays(1);
      refund(life, subscription.payment(), 2_000);
      return always('pro', 'team');
    },
  },
  {
    name: 'the proration of an upgrade is refunded, and the period’s invoice was never heard',
    needsStripe: true,
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false, first: { isHeard: false } });
      life.waitDays(10);
      const [item] = subscription.state().items;
      if (item === undefined) throw new Error('no item');
      const line = { ...subscription.lineOf(item, 2_000), isProration: true };
      subscription.bill('paid', { lines: [line] });
      subscription.change({});
      life.waitDays(1);
      refund(life, subscription.payment(), 2_000);
      return always('pro');
    },
  },
  {
    name: 'the period is refunded after an upgrade, and its invoice was never heard',
    needsStripe: true,
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false, first: { isHeard: false } });
      const first = subscription.payment();
      life.waitDays(10);
      const [item] = subscription.state().items;
      if (item === undefined) throw new Error('no item');
      subscription.bill('paid', { lines: [{ ...subscription.lineOf(item, 2_000), isProration: true }] });
      subscription.change({});
      life.waitDays(1);
      refund(life, first, 4_900);
      return never;
    },
  },
  {
    name: 'an extra billed between periods is refunded',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(10);
      subscription.bill('paid', { lines: [{ price: 'price_extra_work', amount: 700 }] });
      subscription.change({});
      life.waitDays(1);
      refund(life, subscription.payment(), 700);
      return always('pro');
    },
  },
  {
    name: 'a dispute of an extra is lost',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(10);
      subscription.bill('paid', { lines: [{ price: 'price_extra_work', amount: 700 }] });
      subscription.change({});
      life.waitDays(1);
      dispute(life, subscription.payment()).close('lost');
      return always('pro');
    },
  },
  {
    name: 'a refunded year stays refunded when the next month is paid',
    needsStripe: true,
    hasMixedIntervals: true,
    play: (life) => {
      const more = [{ price: 'price_addon', days: 30 }];
      const subscription = subscribe(life, { hasSession: false, price: 'price_yearly', days: 360, more });
      life.waitDays(4);
      refund(life, subscription.payment(), 9_800);
      life.waitDays(26);
      subscription.renew('paid', (item) => item.price === 'price_addon');
      return always('extra');
    },
  },
  {
    name: 'a refunded period stays refunded when an invoice over nothing is paid',
    needsStripe: true,
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(4);
      refund(life, subscription.payment(), 4_900);
      life.waitDays(1);
      const lines = subscription.state().items.map((item) => subscription.lineOf(item, 0));
      subscription.bill('paid', { lines });
      subscription.change({});
      return never;
    },
  },
  {
    name: 'the refund of an add-on with an interval of its own ends the add-on alone',
    needsStripe: true,
    hasMixedIntervals: true,
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(4);
      const addon = subscription.newItem('price_addon', 30);
      const items = [...subscription.state().items, addon];
      subscription.bill('paid', { lines: [subscription.lineOf(addon, 500)] });
      subscription.change({ items });
      life.waitDays(1);
      refund(life, subscription.payment(), 500);
      return always('pro');
    },
  },
  {
    name: 'two payments of one invoice, one refunded',
    needsStripe: true,
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false, first: { payments: [3_000, 1_900] } });
      life.waitDays(4);
      refund(life, subscription.payment(), 3_000);
      return lenientOnly('pro');
    },
  },
  {
    name: 'two payments of one invoice, both refunded',
    needsStripe: true,
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false, first: { payments: [3_000, 1_900] } });
      life.waitDays(4);
      for (const payment of subscription.payments()) refund(life, payment, payment.amount);
      return never;
    },
  },
  {
    name: 'mostly paid from the customer’s balance, the card’s part refunded',
    needsStripe: true,
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false, first: { payments: [900] } });
      life.waitDays(4);
      refund(life, subscription.payment(), 900);
      return lenientOnly('pro');
    },
  },
  {
    name: 'paid out of band',
    play: (life) => {
      subscribe(life, { hasSession: false, first: { payments: [] } });
      return always('pro');
    },
  },
  {
    name: 'a trial with a paid start, the start refunded',
    needsStripe: true,
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false, status: 'trialing', trialDays: 14 });
      const trial = subscription.state().items.map((item) => subscription.lineOf(item, 0));
      subscription.bill('paid', { lines: [...trial, { price: 'price_help', amount: 2_000 }] });
      subscription.change({});
      life.waitDays(4);
      refund(life, subscription.payment(), 2_000);
      return always('pro');
    },
  },
  {
    name: 'subscribe with a one-time item in the session',
    play: (life) => {
      subscribe(life, { once: [{ price: 'price_once', amount: 10_000 }] });
      return always('export', 'pro');
    },
  },
  {
    name: 'subscribe with a one-time item, all refunded',
    needsStripe: true,
    play: (life) => {
      const once = [{ price: 'price_once', amount: 10_000 }];
      const subscription = subscribe(life, { hasSession: false, once });
      life.waitDays(4);
      refund(life, subscription.payment(), 14_900);
      return never;
    },
  },
  {
    name: 'a one-off invoice with a price of the catalog',
    play: (life) => {
      bill(life, { lines: [{ price: 'price_once', amount: 10_000 }], metadata: life.metadata });
      return always('export');
    },
  },
  {
    name: 'a one-off invoice with many lines',
    needsStripe: true,
    losesWithoutStripe: true,
    play: (life) => {
      const lines = Array.from({ length: 11 }, () => ({ price: 'price_help', amount: 2_000 }));
      const last = { price: 'price_once', amount: 10_000 };
      bill(life, { lines: [...lines, last], metadata: life.metadata });
      return always('export', 'help');
    },
  },
  {
    name: 'a one-off invoice paid from the balance',
    play: (life) => {
      const lines = [{ price: 'price_once', amount: 10_000 }];
      bill(life, { lines, payments: [], metadata: life.metadata });
      return always('export');
    },
  },
  {
    name: 'a one-off invoice, one of two payments refunded',
    needsStripe: true,
    play: (life) => {
      const lines = [{ price: 'price_once', amount: 10_000 }];
      const { payments } = bill(life, { lines, payments: [4_000, 6_000], metadata: life.metadata });
      life.waitDays(1);
      for (const payment of payments.slice(1)) refund(life, payment, 6_000);
      return lenientOnly('export');
    },
  },
  {
    name: 'a one-off invoice, refunded',
    needsStripe: true,
    play: (life) => {
      const lines = [{ price: 'price_once', amount: 10_000 }];
      const { payments } = bill(life, { lines, metadata: life.metadata });
      life.waitDays(1);
      for (const payment of payments) refund(life, payment, 10_000);
      return never;
    },
  },
  {
    name: 'a one-off invoice for something else, and a subscription',
    play: (life) => {
      bill(life, { lines: [{ price: 'price_extra_work', amount: 10_000 }] });
      subscribe(life);
      return always('pro');
    },
  },
];

import { buy, dispute, refund } from '../support/paying.ts';
import { subscribe } from '../support/subscribing.ts';
import { always, lenientOnly, never } from './story.ts';
import type { Story } from './story.ts';

/** Refunds and disputes. */
export const reversalStories: Story[] = [
  {
    name: 'buy once, partly refunded',
    play: (life) => {
      const bought = buy(life);
      life.waitDays(4);
      refund(life, bought.payment(), 3_000);
      return lenientOnly('export');
    },
  },
  {
    name: 'buy once, refunded in two parts',
    play: (life) => {
      const bought = buy(life);
      life.waitDays(4);
      const { payment } = refund(life, bought.payment(), 3_000);
      life.waitDays(4);
      refund(life, payment, 7_000);
      return never;
    },
  },
  {
    name: 'buy once with an invoice, partly refunded',
    play: (life) => {
      const bought = buy(life, { hasInvoice: true });
      life.waitDays(4);
      refund(life, bought.payment(), 3_000);
      return lenientOnly('export');
    },
  },
  {
    name: 'buy once with an invoice, from another program, refunded',
    needsStripe: true,
    play: (life) => {
      const bought = buy(life, { hasInvoice: true, hasMetadata: false });
      life.waitDays(4);
      refund(life, bought.payment(), 10_000);
      return never;
    },
  },
  {
    name: 'buy twice, one refunded',
    play: (life) => {
      const bought = buy(life);
      life.waitDays(4);
      buy(life);
      life.waitDays(4);
      refund(life, bought.payment(), 10_000);
      return always('export');
    },
  },
  {
    name: 'buy once, the refund fails later',
    play: (life) => {
      const bought = buy(life);
      life.waitDays(4);
      const given = refund(life, bought.payment(), 10_000);
      life.waitDays(4);
      given.fail();
      return always('export');
    },
  },
  {
    name: 'buy once, a dispute that is won',
    play: (life) => {
      const bought = buy(life);
      life.waitDays(4);
      const opened = dispute(life, bought.payment());
      life.waitDays(4);
      opened.close('won');
      return always('export');
    },
  },
  {
    name: 'buy once, a dispute that is lost',
    play: (life) => {
      const bought = buy(life);
      life.waitDays(4);
      const opened = dispute(life, bought.payment());
      opened.answer();
      life.waitDays(4);
      opened.close('lost');
      return never;
    },
  },
  {
    name: 'buy once, an inquiry that is closed',
    play: (life) => {
      const bought = buy(life);
      life.waitDays(4);
      const opened = dispute(life, bought.payment(), 'warning_needs_response');
      life.waitDays(4);
      opened.close('warning_closed');
      return always('export');
    },
  },
  {
    name: 'subscribe, the period is refunded',
    needsStripe: true,
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(4);
      refund(life, subscription.payment(), 4_900);
      return never;
    },
  },
  {
    name: 'subscribe, part of the period is refunded',
    needsStripe: true,
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(4);
      refund(life, subscription.payment(), 1_000);
      return lenientOnly('pro');
    },
  },
  {
    name: 'subscribe, the period is refunded, the next is paid',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(4);
      refund(life, subscription.payment(), 4_900);
      life.waitDays(26);
      subscription.renew();
      return always('pro');
    },
  },
  {
    name: 'subscribe, dispute an old period',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      const first = subscription.payment();
      life.waitDays(30);
      subscription.renew();
      life.waitDays(1);
      dispute(life, first).close('lost');
      return always('pro');
    },
  },
  {
    name: 'subscribe, a dispute of the period that is open',
    needsStripe: true,
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(4);
      dispute(life, subscription.payment());
      return never;
    },
  },
  {
    name: 'subscribe, a dispute of the period that is won',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(4);
      const opened = dispute(life, subscription.payment());
      life.waitDays(4);
      opened.close('won');
      return always('pro');
    },
  },
];

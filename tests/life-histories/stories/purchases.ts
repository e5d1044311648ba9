import { buy } from '../support/paying.ts';
import { subscribe } from '../support/subscribing.ts';
import { always, never } from './story.ts';
import type { Story } from './story.ts';

/** One-time purchases and their payments. */
export const purchaseStories: Story[] = [
  {
    name: 'buy once',
    play: (life) => {
      buy(life, { quantity: 2 });
      return always('export');
    },
  },
  {
    name: 'buy once, and subscribe',
    play: (life) => {
      buy(life);
      life.waitDays(1);
      subscribe(life);
      return always('export', 'pro');
    },
  },
  {
    name: 'buy once, free of charge',
    play: (life) => {
      buy(life, { money: 'free' });
      return always('export');
    },
  },
  {
    name: 'buy once from another program',
    needsStripe: true,
    play: (life) => {
      buy(life, { hasMetadata: false, quantity: 3 });
      return always('export');
    },
  },
  {
    name: 'buy once in a session of ours, where the buyer takes more of it',
    needsStripe: true,
    play: (life) => {
      buy(life, { sold: [{ price: 'price_once', quantity: 3 }] });
      return always('export');
    },
  },
  {
    name: 'buy once in a session of ours, with a cross-sell',
    needsStripe: true,
    play: (life) => {
      const sold = [
        { price: 'price_once', quantity: 1 },
        { price: 'price_help', quantity: 1 },
      ];
      buy(life, { sold });
      return always('export', 'help');
    },
  },
  {
    name: 'buy once with an invoice',
    play: (life) => {
      buy(life, { hasInvoice: true });
      return always('export');
    },
  },
  {
    name: 'buy once with an invoice from another program',
    needsStripe: true,
    play: (life) => {
      buy(life, { hasInvoice: true, hasMetadata: false });
      return always('export');
    },
  },
  {
    name: 'buy once, payment outstanding',
    play: (life) => {
      buy(life, { money: 'late' });
      return never;
    },
  },
  {
    name: 'buy once, paid later',
    play: (life) => {
      const bought = buy(life, { money: 'late' });
      life.waitDays(4);
      bought.endPayment('succeeded');
      return always('export');
    },
  },
  {
    name: 'buy once, payment failed',
    play: (life) => {
      const bought = buy(life, { money: 'late' });
      life.waitDays(4);
      bought.endPayment('failed');
      return never;
    },
  },
];

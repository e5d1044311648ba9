import { buy } from '../support/paying.ts';
import { subscribe } from '../support/subscribing.ts';
import { always, never } from './story.ts';
import type { Story } from './story.ts';

/** What is bought once, and how its money comes. */
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
    name: 'buy once for nothing',
    play: (life) => {
      buy(life, { money: 'free' });
      return always('export');
    },
  },
  {
    name: 'buy once from another program',
    isToldByStripeAlone: true,
    play: (life) => {
      buy(life, { hasMetadata: false, quantity: 3 });
      return always('export');
    },
  },
  {
    name: 'buy once, the money is outstanding',
    play: (life) => {
      buy(life, { money: 'late' });
      return never;
    },
  },
  {
    name: 'buy once, the money comes late',
    play: (life) => {
      const bought = buy(life, { money: 'late' });
      life.waitDays(4);
      bought.settle('succeeded');
      return always('export');
    },
  },
  {
    name: 'buy once, the money never comes',
    play: (life) => {
      const bought = buy(life, { money: 'late' });
      life.waitDays(4);
      bought.settle('failed');
      return never;
    },
  },
];

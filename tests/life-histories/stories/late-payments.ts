import { buy, refund } from '../support/paying.ts';
import { always, lenientOnly, never } from './story.ts';
import type { Story } from './story.ts';

/** Payments that take longer: authorisations, and money that comes without our metadata. */
export const latePaymentStories: Story[] = [
  {
    name: 'authorised, not captured',
    play: (life) => {
      buy(life, { money: 'authorised' });
      return never;
    },
  },
  {
    name: 'authorised, then captured by hand',
    play: (life) => {
      const bought = buy(life, { money: 'authorised' });
      life.waitDays(2);
      bought.capture(10_000);
      return always('export');
    },
  },
  {
    name: 'authorised, then captured by hand, without our metadata',
    needsStripe: true,
    losesWithoutStripe: true,
    play: (life) => {
      const bought = buy(life, { money: 'authorised', hasMetadata: false });
      life.waitDays(2);
      bought.capture(10_000);
      return always('export');
    },
  },
  {
    name: 'authorised, the authorisation expires',
    play: (life) => {
      const bought = buy(life, { money: 'authorised' });
      life.waitDays(7);
      bought.release('expired');
      return never;
    },
  },
  {
    name: 'authorised, canceled, without our metadata',
    needsStripe: true,
    losesWithoutStripe: true,
    play: (life) => {
      const bought = buy(life, { money: 'authorised', hasMetadata: false });
      life.waitDays(2);
      bought.release('canceled');
      return never;
    },
  },
  {
    name: 'captured in part',
    needsStripe: true,
    play: (life) => {
      const bought = buy(life, { money: 'authorised' });
      life.waitDays(2);
      bought.capture(6_000);
      return always('export');
    },
  },
  {
    name: 'captured in part, some of it refunded',
    needsStripe: true,
    play: (life) => {
      const bought = buy(life, { money: 'authorised' });
      life.waitDays(2);
      const payment = bought.capture(6_000);
      life.waitDays(2);
      refund(life, payment, 3_000);
      return lenientOnly('export');
    },
  },
  {
    name: 'captured in part, all of it refunded',
    needsStripe: true,
    play: (life) => {
      const bought = buy(life, { money: 'authorised' });
      life.waitDays(2);
      const payment = bought.capture(6_000);
      life.waitDays(2);
      refund(life, payment, 6_000);
      return never;
    },
  },
  {
    name: 'a bank transfer that arrives later, without our metadata',
    needsStripe: true,
    losesWithoutStripe: true,
    play: (life) => {
      const bought = buy(life, { money: 'late', hasMetadata: false });
      life.waitDays(4);
      bought.endPayment('succeeded');
      return always('export');
    },
  },
];

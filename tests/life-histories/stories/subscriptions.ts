import { dayS } from '../support/life.ts';
import { subscribe } from '../support/subscribing.ts';
import { always, lenientOnly, never } from './story.ts';
import type { Story } from './story.ts';

/** How subscriptions begin, renew and fail. */
export const subscriptionStories: Story[] = [
  {
    name: 'subscribe',
    play: (life) => {
      subscribe(life);
      return always('pro');
    },
  },
  {
    name: 'subscribe, the first payment in two steps',
    play: (life) => {
      const subscription = subscribe(life, { status: 'incomplete', hasSession: false });
      subscription.bill('paid');
      subscription.change({ status: 'active' });
      return always('pro');
    },
  },
  {
    name: 'never pay the first invoice',
    play: (life) => {
      const subscription = subscribe(life, { status: 'incomplete', hasSession: false });
      subscription.bill('failed');
      subscription.change({});
      life.waitDays(1);
      subscription.change({ status: 'incomplete_expired', endedAt: life.now() });
      return never;
    },
  },
  {
    name: 'trial, then pay',
    play: (life) => {
      const subscription = subscribe(life, { status: 'trialing', trialDays: 14 });
      life.waitDays(11);
      subscription.change({}, 'customer.subscription.trial_will_end');
      life.waitDays(3);
      subscription.renew();
      return always('pro');
    },
  },
  {
    name: 'trial, pause without a card, resume',
    play: (life) => {
      const subscription = subscribe(life, { status: 'trialing', trialDays: 7 });
      life.waitDays(7);
      subscription.change({ status: 'paused' }, 'customer.subscription.paused');
      life.waitDays(3);
      subscription.bill('paid');
      const period = { start: life.now(), end: life.now() + 30 * dayS };
      const items = subscription.state().items.map((item) => ({ ...item, ...period }));
      subscription.change({ status: 'active', items }, 'customer.subscription.resumed');
      return always('pro');
    },
  },
  {
    name: 'trial, pause without a card',
    play: (life) => {
      const subscription = subscribe(life, { status: 'trialing', trialDays: 7 });
      life.waitDays(7);
      subscription.change({ status: 'paused' }, 'customer.subscription.paused');
      subscription.change({});
      return never;
    },
  },
  {
    name: 'renew twice',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(30);
      subscription.renew();
      life.waitDays(30);
      subscription.renew();
      return always('pro');
    },
  },
  {
    name: 'fail and recover',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(30);
      subscription.renew('failed');
      life.waitDays(3);
      subscription.bill('paid');
      subscription.change({ status: 'active' });
      return always('pro');
    },
  },
  {
    name: 'fail, and stay past due',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(30);
      subscription.renew('failed');
      life.waitDays(3);
      subscription.change({});
      return lenientOnly('pro');
    },
  },
  {
    name: 'fail, recover, fail again',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(30);
      subscription.renew('failed');
      life.waitDays(2);
      subscription.change({ status: 'active' });
      life.waitDays(28);
      subscription.renew('failed');
      return lenientOnly('pro');
    },
  },
  {
    name: 'fail and end',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(30);
      subscription.renew('failed');
      life.waitDays(3);
      subscription.change({});
      life.waitDays(5);
      subscription.end();
      return never;
    },
  },
  {
    name: 'fail, and stay unpaid',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(30);
      subscription.renew('failed');
      life.waitDays(15);
      subscription.change({ status: 'unpaid' });
      return never;
    },
  },
];

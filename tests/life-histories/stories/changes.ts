import { dayS } from '../support/life.ts';
import { renderSchedule } from '../support/stripe-objects.ts';
import { subscribe } from '../support/subscribing.ts';
import { always, lenientOnly, never } from './story.ts';
import type { Story } from './story.ts';

/** Changes and cancellations of a running subscription. */
export const changeStories: Story[] = [
  {
    name: 'pause the collection',
    play: (life) => {
      const subscription = subscribe(life);
      life.waitDays(5);
      subscription.change({ isCollectionPaused: true });
      return lenientOnly('pro');
    },
  },
  {
    name: 'pause the collection and resume it',
    play: (life) => {
      const subscription = subscribe(life);
      life.waitDays(5);
      subscription.change({ isCollectionPaused: true });
      life.waitDays(5);
      subscription.change({ isCollectionPaused: false });
      return always('pro');
    },
  },
  {
    name: 'switch the plan, and back, and again',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      const [item] = subscription.state().items;
      const items = item === undefined ? [] : [item];
      const priced = (price: string) => ({ items: items.map((one) => ({ ...one, price })) });
      life.waitDays(3);
      subscription.change(priced('price_team'));
      subscription.change(priced('price_pro'));
      life.waitDays(3);
      subscription.change(priced('price_team'));
      return always('pro', 'team');
    },
  },
  {
    name: 'switch to a plan with fewer features',
    play: (life) => {
      const subscription = subscribe(life, { price: 'price_team' });
      life.waitDays(3);
      const items = subscription.state().items.map((one) => ({ ...one, price: 'price_pro' }));
      subscription.change({ items });
      return always('pro');
    },
  },
  {
    name: 'a smaller plan from the next period on, by a schedule',
    // Events about a schedule are a reason to look the subscription up.
    losesWithoutStripe: true,
    play: (life) => {
      const subscription = subscribe(life, { price: 'price_team' });
      life.waitDays(3);
      const schedule = {
        id: life.newId('sub_sched'),
        subscription: subscription.state(),
        price: 'price_pro',
      };
      const show = (status: 'active' | 'released', type: string): void => {
        const object = renderSchedule(schedule, status);
        life.put(object);
        life.emit(`subscription_schedule.${type}`, object);
      };
      show('active', 'created');
      subscription.change({ schedule: schedule.id });
      show('active', 'updated');
      life.waitDays(27);
      const items = subscription.state().items.map((one) => ({ ...one, price: 'price_pro' }));
      subscription.change({ items });
      subscription.renew();
      life.waitDays(30);
      subscription.change({ schedule: null });
      show('released', 'released');
      subscription.renew();
      return always('pro');
    },
  },
  {
    name: 'a dearer plan that nobody pays, so that the old one goes on',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(3);
      subscription.change({ updatePendsUntil: life.now() + dayS });
      life.waitDays(1);
      subscription.change({ updatePendsUntil: null });
      return always('pro');
    },
  },
  {
    name: 'a dearer plan that is paid on the second try',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(3);
      subscription.change({ updatePendsUntil: life.now() + dayS });
      const items = subscription.state().items.map((one) => ({ ...one, price: 'price_team' }));
      subscription.change({ items, updatePendsUntil: null });
      subscription.change({}, 'customer.subscription.pending_update_applied');
      return always('pro', 'team');
    },
  },
  {
    name: 'add an item',
    play: (life) => {
      const subscription = subscribe(life);
      life.waitDays(3);
      subscription.change({ items: [...subscription.state().items, subscription.newItem('price_addon')] });
      return always('extra', 'pro');
    },
  },
  {
    name: 'add an item and remove it',
    play: (life) => {
      const subscription = subscribe(life);
      life.waitDays(3);
      const plain = subscription.state().items;
      subscription.change({ items: [...plain, subscription.newItem('price_addon')] });
      life.waitDays(3);
      subscription.change({ items: plain });
      return always('pro');
    },
  },
  {
    name: 'change the quantity up and down',
    play: (life) => {
      const subscription = subscribe(life, { quantity: 3 });
      const counted = (quantity: number) => ({
        items: subscription.state().items.map((one) => ({ ...one, quantity })),
      });
      life.waitDays(1);
      subscription.change(counted(5));
      life.waitDays(1);
      subscription.change(counted(2));
      return always('pro');
    },
  },
  {
    name: 'two subscriptions for one feature, one ends',
    play: (life) => {
      const first = subscribe(life, { hasSession: false });
      life.waitDays(2);
      subscribe(life, { price: 'price_team', hasSession: false });
      life.waitDays(2);
      first.end();
      return always('pro', 'team');
    },
  },
  {
    name: 'two subscriptions for one feature, one fails',
    play: (life) => {
      const first = subscribe(life, { hasSession: false });
      life.waitDays(2);
      subscribe(life, { status: 'trialing', trialDays: 60 });
      life.waitDays(28);
      first.renew('failed');
      return always('pro');
    },
  },
  {
    name: 'cancel now',
    play: (life) => {
      const subscription = subscribe(life);
      life.waitDays(10);
      subscription.end();
      return never;
    },
  },
  {
    name: 'cancel at the end of the period, and end',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(10);
      subscription.change({ cancelAtPeriodEnd: true, canceledAt: life.now() });
      life.waitDays(20);
      subscription.end();
      return never;
    },
  },
  {
    name: 'cancel at the end of the period, still running',
    play: (life) => {
      const subscription = subscribe(life);
      life.waitDays(10);
      subscription.change({ cancelAtPeriodEnd: true, canceledAt: life.now() });
      return always('pro');
    },
  },
  {
    name: 'cancel in the portal, which sets cancel_at',
    play: (life) => {
      const subscription = subscribe(life);
      life.waitDays(10);
      const [item] = subscription.state().items;
      subscription.change({ cancelAt: item?.end ?? null, canceledAt: life.now() });
      return always('pro');
    },
  },
  {
    name: 'cancel in the portal, and end',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      life.waitDays(10);
      const [item] = subscription.state().items;
      subscription.change({ cancelAt: item?.end ?? null, canceledAt: life.now() });
      life.waitDays(20);
      subscription.end();
      return never;
    },
  },
  {
    name: 'cancel in both ways, undone both times',
    play: (life) => {
      const subscription = subscribe(life, { hasSession: false });
      const [item] = subscription.state().items;
      subscription.change({ cancelAtPeriodEnd: true, canceledAt: life.now() });
      life.waitDays(1);
      subscription.change({ cancelAtPeriodEnd: false, canceledAt: null });
      life.waitDays(1);
      subscription.change({ cancelAt: item?.end ?? null, canceledAt: life.now() });
      life.waitDays(1);
      subscription.change({ cancelAt: null, canceledAt: null });
      return always('pro');
    },
  },
];

import { mapCustomer } from '@billing/store';
import { acceptEvent } from '@billing/sync';
import { checkAgainstStory } from './check-against-story.ts';
import { endStateOf, needsRecheck } from './end-state.ts';
import type { EndState } from './end-state.ts';
import { projectId } from './life.ts';
import type { Life } from './life.ts';
import type { StripeObject } from './stripe-objects.ts';
import type { Hosted } from './stripe-server.ts';
import { inOrder, play, settingKey } from './trial.ts';
import type { Played, Setting, StripeEvent, Trial } from './trial.ts';
import type { World } from './world.ts';

const token = Math.random().toString(36).slice(2, 6).padEnd(4, 'x');
let runs = 0;

function newRun(): string {
  runs += 1;
  return `run${token}${runs.toString(36).padStart(4, '0')}z`;
}

/** Applies an event by one of two workers. Contention makes it fail and be retried, as in the queue. */
async function apply(world: World, event: StripeEvent, lane: number): Promise<void> {
  const queued = acceptEvent({ raw: { ...event }, receivedAt: world.deps.clock() }, world.deps);
  if (queued === null) throw new Error(`${event.type} has no handler`);
  const applier = world.appliers[lane % 2 === 0 ? 0 : 1];
  for (let tries = 1; ; tries += 1) {
    try {
      await applier.apply(queued);
      return;
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

/** Delivers one event after the other, except where the next does not wait. */
export async function deliver(world: World, trial: Trial, { events }: Played, hosted: Hosted): Promise<void> {
  let underWay: Promise<void>[] = [];
  for (const [place, { index, isAwaited }] of trial.deliveries.entries()) {
    const event = events[index];
    if (event === undefined) throw new Error('a delivery of no event');
    hosted.seen = Math.max(hosted.seen, index);
    underWay.push(apply(world, event, place));
    if (!isAwaited) continue;
    await Promise.all(underWay);
    underWay = [];
  }
  await Promise.all(underWay);
}

const actor = { name: 'test', requestId: null };

/** Maps the customer before the first event, as a checkout does. */
async function mapFirst({ database }: World, { userId, customer }: Life): Promise<void> {
  await database.$executeRaw`
    WITH made AS (INSERT INTO users (project_id, user_id) VALUES (${projectId}, ${userId}) RETURNING id)
    INSERT INTO customers (stripe_customer_id, user_ref, source) SELECT ${customer}, id, 'checkout' FROM made`;
}

/** Maps the customer after the last event: what is quarantined is released, without a call to Stripe. */
async function mapLast({ database }: World, { userId, customer }: Life): Promise<void> {
  const request = { user_id: userId, stripe_customer_id: customer };
  await mapCustomer(database, { projectId, request, actor });
}

/**
 * Whether a Payment Link sold something that no session of the life names. An invoice's own items are such: their events
 * name the subscription's metadata, and no user.
 */
function hasUnlinked(life: Life): boolean {
  if (life.ownership !== 'linked') return false;
  const all = life.finalObjects();
  const sessions = all.filter((one) => one.object === 'checkout.session');
  const named = new Set(
    sessions.flatMap((one) => [one['subscription'], one['payment_intent'], one['invoice'], one.id]),
  );
  const isInvoicesOwn = ({ object, invoice, parent }: StripeObject): boolean =>
    object === 'line_item' && JSON.stringify(parent).includes('invoice_item_details') && !named.has(invoice);
  const isSold = ({ object, metadata }: StripeObject): boolean =>
    object === 'subscription' ||
    (object === 'payment_intent' && JSON.stringify(metadata ?? {}).includes('price_id'));
  return all.some((one) => (isSold(one) && !named.has(one.id)) || isInvoicesOwn(one));
}

/** Rechecks, as the worker's loop does, until nothing is left to recheck. */
async function recheckAll(world: World, life: Life): Promise<void> {
  const mostRounds = 400;
  for (let round = 0; round < mostRounds; round += 1) {
    if (!(await needsRecheck(world, life))) return;
    await world.recheckLater();
  }
  throw new Error(`rows are still to be rechecked after ${mostRounds} rounds`);
}

/** A lookup does not know when money was captured, as a charge does not say; an event does. */
const withoutPaidMoment = (state: EndState): EndState =>
  JSON.parse(
    JSON.stringify(state, (key, value: unknown) => (key === 'paid_at' || key === 'validFrom' ? null : value)),
  ) as EndState;

export type Deliver = (trial: Trial, played: Played, hosted: Hosted) => Promise<void>;

/** Runs one trial; returns its end state after the checks that need no other trial. */
export async function runTrial(world: World, trial: Trial, deliverAll: Deliver): Promise<EndState> {
  const played = play(trial, newRun());
  const { life, events } = played;
  const mood = { answers: 'answers', missing: 'missing', 'away, then back': 'away' } as const;
  const hosted: Hosted = { life, mood: mood[trial.stripe], seen: -1, isAhead: trial.isStripeAhead };
  world.stripe.host(hosted);
  try {
    if (trial.ownership === 'mapped') await mapFirst(world, life);
    await deliverAll(trial, played, hosted);
    if (trial.ownership === 'mapped_late' || hasUnlinked(life)) await mapLast(world, life);
    if (hosted.mood === 'away') hosted.mood = 'answers';
    const eventIds = [...new Set(events.map((event) => event.id))];
    await recheckAll(world, life);
    const { state, ledger } = await endStateOf(world, life, eventIds);
    checkAgainstStory(trial, played, { state, ledger });
    return trial.story.losesWithoutStripe === true ? withoutPaidMoment(state) : state;
  } finally {
    world.stripe.forget(life);
  }
}

/**
 * Gives the canonical end state of a setting: each event is delivered once, in Stripe's own order. API version,
 * ownership and a temporary outage of Stripe make no difference to it. Only where Stripe answers 404 does the
 * API version, as the old one renders more.
 */
export function createCanonical(world: World): (trial: Setting) => Promise<EndState> {
  const known = new Map<string, Promise<EndState>>();
  return (trial) => {
    const setting: Setting = {
      ...trial,
      ownership: 'mapped',
      stripe: trial.stripe === 'missing' ? 'missing' : 'answers',
      shape: trial.stripe === 'missing' ? trial.shape : 'pinned',
    };
    const key = settingKey(setting);
    const deliveries = inOrder(play(setting, 'RUN').events.length);
    const state =
      known.get(key) ??
      runTrial(world, { ...setting, deliveries, isStripeAhead: false }, (...parts) =>
        deliver(world, ...parts),
      );
    known.set(key, state);
    return state;
  };
}

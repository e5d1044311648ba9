import type { Owner } from '@billing/domain';
import { warmUp } from '@billing/platform';
import type { WarmUpLimits } from '@billing/platform';
import { writeOutcomes } from '@billing/store';
import type { EventState } from '@billing/store';
import type { SyncDeps } from '../deps.ts';
import { decideEvents, groupKeys } from './decide-events.ts';
import { acceptEvent } from './handlers.ts';
import { readState } from './read-state.ts';
import { groupByObject } from './target.ts';

const price = {
  id: 'price_warm',
  object: 'price',
  currency: 'usd',
  unit_amount: 4900,
  unit_amount_decimal: '4900',
  recurring: { interval: 'month', interval_count: 1, usage_type: 'licensed' },
};

type Said = { mode: 'live' | 'test'; created: number; status: string };

/** An event like most, of objects that nobody has: Stripe's ids have more characters. */
const renderedEvent = ({ mode, created, status }: Said) => ({
  id: `evt_warm_${status}`,
  object: 'event',
  type: 'customer.subscription.updated',
  created,
  livemode: mode === 'live',
  data: {
    object: {
      id: 'sub_warm',
      object: 'subscription',
      customer: 'cus_warm',
      status,
      created,
      livemode: mode === 'live',
      metadata: {},
      items: {
        object: 'list',
        has_more: false,
        data: [
          {
            id: 'si_warm',
            quantity: 1,
            price,
            current_period_start: 1_793_491_200,
            current_period_end: 1_796_083_200,
          },
        ],
      },
    },
  },
});

/** No erasure has this number, so that nothing is written by it. */
const noErasureMark = -1;
const owner: Owner = { ref: 0, projectId: 'warm', userId: 'warm', version: 0 };

/** What would be read if the objects were stored and mapped. */
const withOwner = (state: EventState): EventState => ({
  ...state,
  mappings: new Map([['cus_warm', [owner]]]),
  prices: [{ projectId: 'warm', priceId: 'warm', stripePriceId: 'price_warm', isRecurring: true }],
  projects: new Set(['warm']),
  users: [owner],
});

/**
 * Runs the way of a lone event as often as its code needs to be compiled and its statements to be planned: a process's first
 * events take several times as long as later ones. Nothing is written. Rejects where Postgres is away.
 */
export async function warmEvents(deps: SyncDeps, limits: WarmUpLimits): Promise<void> {
  const created = Math.floor(deps.clock() / 1000);
  type Stored = EventState['subscriptions'];

  /** Decides and writes what an event says of a subscription that is stored as `stored` is. */
  async function applyNothing(stored: Stored, said: Pick<Said, 'created' | 'status'>): Promise<Stored> {
    const raw = renderedEvent({ mode: deps.mode, ...said });
    const queued = acceptEvent({ raw, receivedAt: deps.clock() }, deps);
    const [group] = groupByObject(queued === null ? [] : [queued]);
    if (group === undefined) return stored;
    const state = { ...withOwner(await readState(deps, groupKeys([group]))), subscriptions: stored };
    const decision = decideEvents(group, { state, found: null, now: deps.clock() });
    if (decision.kind !== 'write' || decision.outcome?.kind !== 'subscription') return stored;
    const { outcome } = decision;
    await writeOutcomes(deps.database, [outcome], { erasureMark: noErasureMark });
    return new Map([['sub_warm', { row: outcome.row, owners: { first: owner, others: [] } }]]);
  }
  // A new subscription, then another status of the same items: each is a statement of its own.
  await warmUp(async () => {
    const stored = await applyNothing(new Map(), { created, status: 'active' });
    await applyNothing(stored, { created: created + 1, status: 'past_due' });
  }, limits);
}

import { sampleSeconds, sampleSlot, secondMs } from '@billing/domain';
import { readQueueState } from '@billing/platform';
import { countEvents, saveSample, takeSampleSlot } from '@billing/store';
import type { MaintenanceDeps } from './deps.ts';

type Deps = Pick<
  MaintenanceDeps,
  'clock' | 'database' | 'stripeEvents' | 'maintenance' | 'usageEvents' | 'budget'
>;

/**
 * Takes the sample that is due, unless another worker did: how the queues stand, and what became of the events of the last
 * ten seconds. A queue that does not answer is left out.
 */
export function createSampler(deps: Deps): () => Promise<'rest'> {
  const { clock, database, stripeEvents, maintenance, usageEvents, budget } = deps;
  let seen = -Infinity;
  return async () => {
    const at = sampleSlot(clock());
    if (at <= seen) return 'rest';
    const isOurs = await takeSampleSlot(database, at);
    seen = at;
    if (!isOurs) return 'rest';
    const [states, events, stripeReads] = await Promise.all([
      Promise.allSettled([stripeEvents, maintenance, usageEvents].map(readQueueState)),
      countEvents(database, { from: at - sampleSeconds * secondMs, to: at }),
      budget.look(),
    ]);
    const queues = states.flatMap((state) => (state.status === 'fulfilled' ? [state.value] : []));
    await saveSample(database, { at, queues, events, stripeReads });
    return 'rest';
  };
}

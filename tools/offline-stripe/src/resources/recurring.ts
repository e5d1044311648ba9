import { z } from 'zod';

import { invalid } from '../errors.ts';
import { natural, positive, text } from '../http/params.ts';
import type { World } from '../world.ts';

export const recurringParams = z.strictObject({
  interval: z.enum(['day', 'week', 'month', 'year']),
  interval_count: positive.optional(),
  trial_period_days: natural.optional(),
  usage_type: z.enum(['licensed', 'metered']).optional(),
  meter: text.optional(),
});
type Recurring = z.infer<typeof recurringParams>;

/** As since `2025-03-31.basil`: usage comes from a meter alone. */
function meterOf(world: World, { meter, usage_type: usage }: Recurring, param: string) {
  if (usage !== 'metered') {
    if (meter !== undefined)
      throw invalid('You may only specify a meter for prices with usage_type `metered`.', param);
    return null;
  }
  if (meter === undefined) {
    throw invalid(
      'You must specify a meter for prices with usage_type `metered`.',
      param,
      'parameter_missing',
    );
  }
  if (world.tables.meters.require(meter, param).status !== 'active')
    throw invalid(`The meter ${meter} is not active.`, param);
  return meter;
}

/** What a price is made with; null: it is paid once. */
export function recurringOf(world: World, recurring: Recurring | undefined, param: string) {
  if (recurring === undefined) return null;
  return {
    interval: recurring.interval,
    intervalCount: recurring.interval_count ?? 1,
    trialDays: recurring.trial_period_days ?? null,
    meter: meterOf(world, recurring, param),
  };
}

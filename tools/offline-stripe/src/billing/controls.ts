import type { SubscriptionControl } from '../state/private-rows.ts';
import type { World } from '../world.ts';

/** Three more tries, then it is over: about three weeks. */
export const RETRY_PAUSE_DAYS = [3, 5, 7, 7] as const;
export const RETRIES = 3;

/** "Until someone pays": more attempts than any dunning makes. */
export const UNTIL_PAID = 1_000_000;

export function controlOf(world: World, subscriptionId: string): SubscriptionControl {
  return (
    world.tables.subscriptionControls.get(subscriptionId) ?? {
      id: subscriptionId,
      failures_left: 0,
      after_last_retry: 'cancel',
      retries_done: 0,
      next_retry_at: null,
      trial_will_end_sent: false,
    }
  );
}

export function changeControl(
  world: World,
  subscriptionId: string,
  patch: Partial<SubscriptionControl>,
): void {
  world.tables.subscriptionControls.insert({ ...controlOf(world, subscriptionId), ...patch });
}

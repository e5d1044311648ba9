import type { Account } from './account.ts';
import type { UsageChange } from './change.ts';
import { commitEvent } from './commit-event.ts';
import type { NewEvent } from './commit-event.ts';
import { refusal } from './commands.ts';
import type { Refusal } from './commands.ts';
import type { UsageReason } from './reasons.ts';
import type { UsageEvent } from './usage-event.ts';

/** What became of an event: it is stored, was stored before, is not stored because it is not allowed, or is refused. */
export type EventDecision =
  | { kind: 'recorded'; event: UsageEvent; change: UsageChange }
  | { kind: 'duplicate'; event: UsageEvent }
  | { kind: 'denied'; reason: UsageReason; quantity: number }
  /** Of a level: a later one was observed. */
  | { kind: 'stale'; quantity: number }
  | Refusal;

/** Stores the event. */
export const recorded = (account: Account, event: NewEvent): EventDecision => {
  const change = commitEvent(account, event);
  const [stored] = change.events;
  if (stored === undefined) throw new Error('a committed event has a row');
  return { kind: 'recorded', event: stored, change };
};

/** Usage of so much that sums would not be exact any more. */
export function isTooMuch({ state }: Account, quantity: number): boolean {
  return state.buckets.some((one) => one.used + one.held + quantity > Number.MAX_SAFE_INTEGER);
}

export const tooMuch = refusal(
  'invalid_request',
  'Send a smaller quantity: the sum is beyond what can be counted.',
);

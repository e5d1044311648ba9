import { minuteMs } from '../time.ts';
import type { Account } from './account.ts';
import { assessLevel } from './assess.ts';
import type { NewEvent } from './commit-event.ts';
import { refusal } from './commands.ts';
import type { Refusal, SetLevelCommand } from './commands.ts';
import { recorded } from './event-decision.ts';
import type { EventDecision } from './event-decision.ts';
import { isAllowed } from './reasons.ts';

/** How far a client's clock may be ahead of ours. */
export const aheadMs = 5 * minuteMs;

export const belowZero = ({ state }: Account): Refusal =>
  refusal('level_below_zero', `Take off at most ${state.level}: that is the level.`);

/** Raises or lowers the level of a counted limit. */
export function changeLevel(account: Account, event: NewEvent, mode: 'enforce' | 'record'): EventDecision {
  const { quantity } = event;
  if (account.state.level + quantity < 0) return belowZero(account);
  const reason = assessLevel(account, quantity);
  if (mode === 'enforce' && quantity > 0 && !isAllowed(reason)) return { kind: 'denied', reason, quantity };
  return recorded(account, { ...event, mode, reason, level: { by: quantity } });
}

/** Sets the level as it was observed. */
export function decideLevel(account: Account, command: SetLevelCommand, body: string): EventDecision {
  const { offer, state } = account;
  if (offer.input.feature.kind !== 'limit')
    return refusal('feature_not_metered', 'Levels are for limits with `counted: true`.');
  const { level, observedAt, eventId } = command;
  if (observedAt > offer.input.now + aheadMs)
    return refusal('timestamp_out_of_range', 'Send an `observed_at` that is at most 5 minutes ahead.');
  const quantity = level - state.level;
  if (state.levelObservedAt !== null && observedAt < state.levelObservedAt)
    return { kind: 'stale', quantity };
  const limit = offer.limit === null ? 0 : offer.limit.limit;
  const isWithin = limit === null || level <= limit;
  const reason = offer.limit === null ? 'not_entitled' : isWithin ? 'within_limit' : 'limit_reached';
  return recorded(account, {
    kind: 'level',
    eventId,
    quantity,
    at: observedAt,
    level: { to: level, observedAt },
    reason: limit === null ? 'unlimited' : reason,
    body,
  });
}

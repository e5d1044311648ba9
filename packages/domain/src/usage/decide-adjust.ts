import { currentBuckets } from './account.ts';
import type { Account } from './account.ts';
import { assessTake, giveBack, takeAnyway } from './assess.ts';
import type { NewEvent } from './commit-event.ts';
import { refusal } from './commands.ts';
import type { AdjustCommand } from './commands.ts';
import { changeLevel } from './decide-level.ts';
import { isTooMuch, recorded, tooMuch } from './event-decision.ts';
import type { EventDecision } from './event-decision.ts';
import { findBucket, noBucket } from './usage-state.ts';
import type { Part } from './usage-state.ts';

/** What an operator may give back: all that was used of the current buckets, overage first, then what was burnt last. */
function usedParts(account: Account): Part[] {
  const outside = findBucket(account.state.buckets, noBucket);
  const used = [...(outside === undefined ? [] : [outside]), ...currentBuckets(account)];
  return used.flatMap(({ source, sourceId, period, start, used: all, overage }) => {
    const ref = { source, sourceId, period, start };
    return [
      { ...ref, quantity: all - overage, overage: 0 },
      { ...ref, quantity: overage, overage },
    ].filter((part) => part.quantity > 0);
  });
}

/** An operator's correction of the balance, without an event that it corrects. */
export function decideAdjust(account: Account, command: AdjustCommand, body: string): EventDecision {
  const { eventId, quantity, reason: why } = command;
  const event: NewEvent = {
    kind: 'adjustment',
    eventId,
    quantity,
    reason: 'within_allowance',
    body,
    properties: { reason: why },
  };
  if (account.offer.input.feature.kind === 'limit') return changeLevel(account, event, 'record');
  if (quantity > 0) {
    if (isTooMuch(account, quantity)) return tooMuch;
    const buckets = currentBuckets(account);
    const { reason } = assessTake(account, buckets, quantity);
    return recorded(account, { ...event, reason, ...takeAnyway(buckets, quantity) });
  }
  const { parts, missing } = giveBack(usedParts(account), -quantity);
  if (missing > 0)
    return refusal('correction_too_large', `Give back at most ${-quantity - missing}: that much was used.`);
  return recorded(account, { ...event, parts });
}

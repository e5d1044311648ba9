import { toTimestamp } from '../time.ts';
import type { Instant } from '../time.ts';
import { currentBuckets, termsOf } from './account.ts';
import type { Account } from './account.ts';
import { assessTake, giveBack, givenBackBefore, ifLeft, takeAnyway } from './assess.ts';
import { bucketsOf } from './buckets.ts';
import { bodyOf, momentOf, refusal } from './commands.ts';
import type { EventCommand, Refusal, UseCommand } from './commands.ts';
import type { NewEvent } from './commit-event.ts';
import { decideAdjust } from './decide-adjust.ts';
import { aheadMs, belowZero, changeLevel, decideLevel } from './decide-level.ts';
import { isTooMuch, recorded, tooMuch } from './event-decision.ts';
import type { EventDecision } from './event-decision.ts';
import { isAllowed } from './reasons.ts';
import type { UsageEvent } from './usage-event.ts';

/** Rows that the decision needs and that the store looks up by id, of any user and feature of the project. */
export type KnownEvents = { same: UsageEvent | null; corrected: UsageEvent | null };

export type EventOptions = { lateMs: number };

function rangeProblem(at: Instant, now: Instant, lateMs: number): Refusal | null {
  if (at > now + aheadMs)
    return refusal('timestamp_out_of_range', 'Send a timestamp that is at most 5 minutes ahead.');
  if (at < now - lateMs)
    return refusal(
      'timestamp_out_of_range',
      `Send a timestamp that is not before ${toTimestamp(now - lateMs)}.`,
    );
  return null;
}

type Correction = { event: UseCommand; original: UsageEvent | null };

/** Gives back to the buckets that the corrected event took from. */
function correct(account: Account, common: NewEvent, { event, original }: Correction): EventDecision {
  const { userId, offer } = account;
  const isOurs = original?.userId === userId && original.featureCode === offer.input.featureCode;
  if (original === null || !isOurs)
    return refusal('event_not_found', 'Name an event of this user and feature in `corrects`.');
  const given = -event.quantity;
  const taken = original.corrects === null ? original.quantity : 0;
  if (original.corrected + given > taken)
    return refusal(
      'correction_too_large',
      `Give back at most ${Math.max(0, taken - original.corrected)}: that much is left of what the event took.`,
    );
  const parts = ifLeft(account.state.buckets, giveBack(original.parts, given, original.corrected).parts);
  if (parts === null) return givenBackBefore;
  const isCounted = offer.input.feature.kind === 'limit';
  if (isCounted && account.state.level < given) return belowZero(account);
  const decided = recorded(account, {
    ...common,
    parts,
    level: isCounted ? { by: -given } : null,
    corrects: original.eventId,
    reason: isCounted ? 'within_limit' : 'within_allowance',
  });
  if (decided.kind !== 'recorded') return decided;
  const corrected = [{ eventId: original.eventId, by: given }];
  return { ...decided, change: { ...decided.change, corrected } };
}

function takeMetered(account: Account, event: NewEvent, command: UseCommand): EventDecision {
  const { quantity, mode } = command;
  const at = momentOf(command);
  if (isTooMuch(account, quantity)) return tooMuch;
  const { now } = account.offer.input;
  const buckets = currentBuckets(account);
  const { reason, parts } = assessTake(account, buckets, quantity);
  if (mode === 'enforce') {
    if (!isAllowed(reason)) return { kind: 'denied', reason, quantity };
    return recorded(account, { ...event, mode, reason, parts });
  }
  const terms = at === null ? account.offer.terms : termsOf(account, at);
  const own = terms === account.offer.terms ? buckets : bucketsOf(terms, account.state, now);
  return recorded(account, { ...event, mode, reason, terms, ...takeAnyway(own, quantity) });
}

function decideUse(
  account: Account,
  command: UseCommand,
  { original, body, lateMs }: { original: UsageEvent | null; body: string; lateMs: number },
): EventDecision {
  const { feature, now } = account.offer.input;
  const { eventId, quantity, timestamp, corrects, properties } = command;
  const receivedAt = command.receivedAt ?? now;
  const problem = timestamp === null ? null : rangeProblem(timestamp, receivedAt, lateMs);
  if (problem !== null) return problem;
  const event: NewEvent = {
    kind: 'usage',
    eventId,
    quantity,
    at: momentOf(command) ?? now,
    body,
    properties,
    reason: 'within_allowance',
    mode: command.mode,
  };
  if (corrects !== null) return correct(account, event, { event: command, original });
  if (feature.kind === 'limit') return changeLevel(account, event, command.mode);
  if (quantity < 0)
    return refusal('invalid_request', 'Name in `corrects` the event that a negative quantity gives back of.');
  return takeMetered(account, event, command);
}

/** Decides one event. A known id is answered as it was decided, whatever holds by now. */
export function decideEvent(
  account: Account,
  command: EventCommand,
  { same, corrected }: KnownEvents,
  { lateMs }: EventOptions,
): EventDecision {
  const { feature, featureCode } = account.offer.input;
  const body = bodyOf(account.userId, featureCode, command);
  if (same !== null)
    return same.body === body
      ? { kind: 'duplicate', event: same }
      : refusal('event_conflict', 'Send another `event_id`: this one was used for another event.');
  if (feature.kind === 'boolean' || (feature.kind === 'limit' && !feature.counted))
    return refusal('feature_not_metered', 'Name a metered feature or a limit with `counted: true`.');
  switch (command.kind) {
    case 'use':
      return decideUse(account, command, { original: corrected, body, lateMs });
    case 'set_level':
      return decideLevel(account, command, body);
    case 'adjust':
      return decideAdjust(account, command, body);
  }
}

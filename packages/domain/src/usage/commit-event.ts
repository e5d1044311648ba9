import type { Account } from './account.ts';
import { finishChange, noChange } from './change.ts';
import type { UsageChange } from './change.ts';
import { isAllowed } from './reasons.ts';
import type { BucketTerms } from './terms.ts';
import { foldEvent } from './usage-event.ts';
import type { UsageEvent } from './usage-event.ts';

type Given = Pick<UsageEvent, 'kind' | 'eventId' | 'quantity' | 'reason' | 'body'>;

type Optional = Pick<UsageEvent, 'mode' | 'at' | 'corrects' | 'parts' | 'level' | 'properties' | 'allowed'>;

/** What is to be stored of one event; what is left out is as `defaults` below. */
export type NewEvent = Given & Partial<Optional> & { terms?: readonly BucketTerms[]; uncovered?: number };

/** The change that one more event makes. */
export function commitEvent(account: Account, { terms, uncovered, ...given }: NewEvent): UsageChange {
  const { userId, offer, state } = account;
  const { now, featureCode } = offer.input;
  const defaults: Optional = {
    mode: 'record',
    at: now,
    corrects: null,
    parts: [],
    level: null,
    properties: null,
    allowed: isAllowed(given.reason),
  };
  const event: UsageEvent = {
    ...defaults,
    ...given,
    userId,
    featureCode,
    usageSeq: state.usageSeq + 1,
    recordedAt: now,
    corrected: 0,
  };
  const { parts } = event;
  const finished = finishChange(
    account,
    foldEvent(state, event),
    terms === undefined ? { parts } : { parts, terms },
  );
  return { ...noChange(finished.account), ...finished, events: [event], uncovered: uncovered ?? 0 };
}

import type { Account } from './account.ts';
import { finishChange } from './change.ts';
import type { UsageChange } from './change.ts';
import { isAllowed } from './reasons.ts';
import type { BucketTerms } from './terms.ts';
import { foldEvent } from './usage-event.ts';
import type { UsageEvent } from './usage-event.ts';

type Given = Pick<UsageEvent, 'kind' | 'eventId' | 'quantity' | 'reason' | 'body'>;

type Optional = Pick<UsageEvent, 'mode' | 'at' | 'corrects' | 'parts' | 'level' | 'properties' | 'allowed'>;

/** What is to be stored of one event; what is left out is as `defaults` below. */
export type NewEvent = Given & Partial<Optional> & { terms?: readonly BucketTerms[]; uncovered?: number };

/** The change that one more event makes. Its fields are named one by one: this is what every use of a feature runs. */
export function commitEvent(account: Account, given: NewEvent): UsageChange {
  const { userId, offer, state } = account;
  const { now, featureCode } = offer.input;
  const event: UsageEvent = {
    userId,
    featureCode,
    usageSeq: state.usageSeq + 1,
    kind: given.kind,
    eventId: given.eventId,
    mode: given.mode ?? 'record',
    quantity: given.quantity,
    at: given.at ?? now,
    recordedAt: now,
    corrects: given.corrects ?? null,
    corrected: 0,
    parts: given.parts ?? [],
    level: given.level ?? null,
    allowed: given.allowed ?? isAllowed(given.reason),
    reason: given.reason,
    body: given.body,
    properties: given.properties ?? null,
  };
  const { parts } = event;
  const finished = finishChange(account, foldEvent(state, event), { parts, terms: given.terms });
  return {
    account: finished.account,
    events: [event],
    reservations: [],
    crossings: finished.crossings,
    corrected: [],
    uncovered: given.uncovered ?? 0,
  };
}

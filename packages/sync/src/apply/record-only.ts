import type { Instant } from '@billing/domain';
import type { EventState } from '@billing/store';
import { emptyPlan, toIgnored } from './plan-write.ts';
import type { EventResult, IgnoredEvent, WritePlan } from './plan-write.ts';
import type { QueuedEvent } from './target.ts';

/** Events that mean nothing for any row. */
export function recordOnly(
  events: readonly IgnoredEvent[],
  { state, results, now }: { state: EventState; results: Map<string, EventResult>; now: Instant },
): WritePlan {
  const ledger = events.map((one) => toIgnored(one, projectOfCustomer(one.queued, state), now));
  for (const { eventId, status, reason } of ledger) results.set(eventId, { status, reason });
  return { ...emptyPlan, outcome: { kind: 'none', events: ledger }, results };
}

export const projectOfCustomer = (
  { event: { customerId } }: QueuedEvent,
  state: EventState,
): string | null => (customerId === null ? null : (state.mappings.get(customerId)?.[0]?.projectId ?? null));

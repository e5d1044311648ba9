import type { Instant } from '@billing/domain';
import type { EventState, LedgerOutcome } from '@billing/store';
import { emptyPlan, toErased, toIgnored } from './plan-write.ts';
import type { EventResult, IgnoredEvent, WritePlan } from './plan-write.ts';
import type { QueuedEvent } from './target.ts';

type Recorded = { state: EventState; results: Map<string, EventResult>; now: Instant };

/** Events that mean nothing for any row. */
export function recordOnly(events: readonly IgnoredEvent[], recorded: Recorded): WritePlan {
  const { state, now } = recorded;
  const ledger = events.map((one) => toIgnored(one, projectOfCustomer(one.queued, state), { state, now }));
  return planLedger(ledger, recorded);
}

/** Events about what an erased user had. */
export const recordErased = (events: readonly QueuedEvent[], recorded: Recorded): WritePlan =>
  planLedger(
    events.map((queued) => toErased(queued, recorded)),
    recorded,
  );

function planLedger(ledger: readonly LedgerOutcome[], { state, results }: Recorded): WritePlan {
  for (const { eventId, status, reason } of ledger) results.set(eventId, { status, reason });
  const { erasureMark } = state;
  return { ...emptyPlan, outcome: { kind: 'none', events: ledger }, results, erasureMark };
}

export const projectOfCustomer = (
  { event: { customerId } }: QueuedEvent,
  state: EventState,
): string | null => (customerId === null ? null : (state.mappings.get(customerId)?.[0]?.projectId ?? null));

import { differences } from '@billing/domain';
import type { FieldChange, StripeLookup } from '@billing/domain';
import type { EventState, LedgerStatus, StoredEvent } from '@billing/store';
import { z } from 'zod';
import { decideUntilWritten } from '../apply/decide-until-written.ts';
import { acceptEvent } from '../apply/handlers.ts';
import { changedFields } from '../apply/plan-write.ts';
import { readState } from '../apply/read-state.ts';
import type { WritePlan } from '../apply/plan-write.ts';
import { writePlans } from '../apply/write-plans.ts';
import type { SyncDeps } from '../deps.ts';
import { askStripe } from '../stripe/ask-stripe.ts';

export type Replayed = { outcome: LedgerStatus; reason: string | null; changes: FieldChange[] };

const storedPayload = z.looseObject({ id: z.string(), type: z.string() });

/** The payload of an event: the stored one, else as Stripe's list still has it, which is for 30 days. */
export async function findPayload(deps: SyncDeps, stored: StoredEvent): Promise<StripeLookup<unknown>> {
  if (stored.payload !== null) return { kind: 'found', object: stored.payload };
  return askStripe(deps, 'event', async () => {
    const event = await deps.stripe.events.retrieve(stored.eventId);
    if (event.id !== stored.eventId) throw new Error('Stripe answered with another event.');
    return { ...event };
  });
}

/**
 * Decides an event of the ledger again, from its payload, as if it arrived now: failed and quarantined
 * events are applied, finished ones normally turn out to be stale. A dry run writes nothing. The changes are those of
 * the object's row and, where its outcome is not final, of the ledger row. Throws ContentionError.
 */
export async function replayEvent(
  deps: SyncDeps,
  { stored, payload: found }: { stored: StoredEvent; payload: unknown },
  { dryRun }: { dryRun: boolean },
): Promise<Replayed> {
  const payload = storedPayload.safeParse(found);
  const queued = payload.success
    ? acceptEvent(
        {
          raw: payload.data,
          receivedAt: stored.receivedAt.getTime(),
          traceId: stored.traceId ?? undefined,
        },
        deps,
      )
    : null;
  if (queued === null) return { outcome: 'ignored', reason: 'unhandled_type', changes: [] };
  return decideUntilWritten(
    deps,
    { key: queued.key, events: [queued] },
    {
      // Without its ledger row the event is decided like a new one; the write keeps a final ledger row as it is.
      readState: async (keys) => ({ ...(await readState(deps, keys)), ledger: new Map() }),
      write: async (plan, state) => {
        const isDone = dryRun || (await writePlans(deps, [plan])).length > 0;
        return isDone ? describe(stored, plan, state) : null;
      },
    },
  );
}

function describe(stored: StoredEvent, plan: WritePlan, state: EventState): Replayed {
  const result = plan.results.get(stored.eventId);
  const outcome = result === undefined || result.status === 'duplicate' ? 'stale' : result.status;
  const reason = result?.reason ?? null;
  const isFinal = stored.status !== 'failed' && stored.status !== 'quarantined';
  const ledgerChanges = isFinal
    ? []
    : differences({ status: stored.status, reason: stored.reason }, { status: outcome, reason }, 'event');
  return { outcome, reason, changes: [...ledgerChanges, ...objectChanges(plan, state)] };
}

function objectChanges(plan: WritePlan, state: EventState): FieldChange[] {
  const { outcome } = plan;
  if (outcome?.kind !== 'subscription' && outcome?.kind !== 'purchase') return [];
  const object = `${outcome.kind}.${outcome.row.id}`;
  return changedFields(plan, state).map((change) => ({ ...change, path: `${object}.${change.path}` }));
}

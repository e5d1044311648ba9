import { describeRow, differences } from '@billing/domain';
import type { FieldChange } from '@billing/domain';
import { readEventState, writeOutcomes } from '@billing/store';
import type { EventState, LedgerStatus, Outcome, StoredEvent } from '@billing/store';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { SyncDeps } from '../deps.ts';
import { acceptEvent } from '../apply/accept-event.ts';
import { afterCommit } from '../apply/after-commit.ts';
import { ContentionError } from '../apply/apply-group.ts';
import { decideGroup, rowVersionOf, keysOf, lookupForGroup } from '../apply/decide-group.ts';
import type { Group, GroupLookup } from '../apply/decide-group.ts';
import type { Settled } from '../apply/decide-object.ts';
import { keyOf } from '../apply/target.ts';

export type Replayed = { outcome: LedgerStatus; reason: string | null; changes: FieldChange[] };

const storedPayload = z.looseObject({ id: z.string(), type: z.string() });

const maxRounds = 20;

const isFinal = (status: string): boolean => status !== 'failed' && status !== 'quarantined';

/**
 * Decides an event of the ledger once more, from the payload that is kept there, as if it came now: what
 * failed or waited is applied, and what is settled normally turns out to be old news. In a dry run nothing is
 * written. The changes are those of the object's row and, where the ledger's word on it is not final, of that.
 */
export async function replayEvent(
  deps: SyncDeps,
  stored: StoredEvent,
  { dryRun }: { dryRun: boolean },
): Promise<Replayed> {
  const payload = storedPayload.safeParse(stored.payload);
  const queued = payload.success
    ? acceptEvent({ raw: payload.data, receivedAt: stored.receivedAt.getTime() }, deps)
    : null;
  if (queued === null) return { outcome: 'ignored', reason: 'unhandled_type', changes: [] };
  const group: Group = { key: keyOf(queued), events: [queued] };
  let read: GroupLookup | null = null;
  for (let round = 0; round < maxRounds; round += 1) {
    const state = asNews(await readEventState(deps.database, keysOf([group], read === null ? [] : [read])));
    const rowVersion = rowVersionOf(group, state);
    if (read !== null && read.rowVersion !== rowVersion) read = null;
    const decision = decideGroup(group, { state, read, now: deps.clock() });
    if (decision.kind === 'read') {
      read = await lookupForGroup(deps, group, { rowVersion, query: decision.query });
      continue;
    }
    const replayed = describe(stored, { decision, state });
    if (dryRun || (await write(deps, decision))) return replayed;
    read = null;
    await sleep(Math.random() * 10 * (round + 1));
  }
  throw new ContentionError(`A replayed event lost ${maxRounds} races in a row.`);
}

/** Without what the ledger says of it an event is decided like a new one. */
const asNews = (state: EventState): EventState => ({ ...state, ledger: new Map() });

/** A final row of the ledger stays as it is: the statement sees to that. */
async function write(deps: SyncDeps, decision: Settled): Promise<boolean> {
  const { outcome } = decision;
  if (outcome === null) return true;
  const { written, pending } = await writeOutcomes(deps.database, [outcome]);
  const hasRowVersion = outcome.kind === 'subscription' || outcome.kind === 'purchase';
  if (hasRowVersion && written.size === 0) return false;
  await afterCommit(deps, [decision], pending);
  return true;
}

function describe(
  stored: StoredEvent,
  { decision, state }: { decision: Settled; state: EventState },
): Replayed {
  const result = decision.results.get(stored.eventId);
  const outcome = result === undefined || result.status === 'duplicate' ? 'stale' : result.status;
  const reason = result?.reason ?? null;
  const ledgerChanges = isFinal(stored.status)
    ? []
    : differences({ status: stored.status, reason: stored.reason }, { status: outcome, reason }, 'event');
  const objectChanges = decision.outcome === null ? [] : changesOf(decision.outcome, state);
  return { outcome, reason, changes: [...ledgerChanges, ...objectChanges] };
}

function changesOf(outcome: Outcome, state: EventState): FieldChange[] {
  if (outcome.kind !== 'subscription' && outcome.kind !== 'purchase') return [];
  const { row, owner } = outcome;
  const held =
    outcome.kind === 'subscription' ? state.subscriptions.get(row.id) : state.purchases.get(row.id);
  const before = held === undefined ? {} : describeRow(held.row, held.owner);
  return differences(before, describeRow(row, owner), `${outcome.kind}.${row.id}`);
}

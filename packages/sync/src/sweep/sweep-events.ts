import { fromStripeSeconds, projectEvent, toTimestamp } from '@billing/domain';
import {
  claimSweep,
  findRecorded,
  finishSweep,
  isLedgerEmpty,
  releaseSweep,
  saveSweep,
} from '@billing/store';
import type { JobOutcome } from '../job-outcome.ts';
import type { MaintenanceDeps } from '../deps.ts';
import { readPage } from '../stripe/read-page.ts';
import { beginSweep, sweepState, typeGroups } from './sweep-state.ts';
import type { SweepState } from './sweep-state.ts';

const done: JobOutcome = { kind: 'done' };
const pageSize = 100;
const addDeadlineMs = 5_000;

/** More than that waits already: the list has time, Redis's memory has not. */
const mostWaiting = 20_000;

type ListedEvent = { id: string; type: string; created: number };

type Stop = { kind: 'stop'; outcome: JobOutcome };
type Go<T> = { kind: 'go'; value: T };

/**
 * Searches Stripe's event list for events that the ledger does not have and enqueues them, newest first: the
 * newest event of an object brings it up to date, and the older ones are then old news. One worker at a time;
 * the place is kept page by page, so an interrupted sweep goes on where it was.
 */
export async function sweepEvents(deps: MaintenanceDeps): Promise<JobOutcome> {
  const key = { mode: deps.mode, workerId: deps.workerId };
  const claimed = await claimSweep(deps.database, key);
  if (claimed === null) return done;
  try {
    const stored = sweepState.safeParse(claimed.state);
    const begun = stored.success
      ? { kind: 'go' as const, value: stored.data }
      : await begin(deps, claimed.sweptTo?.getTime() ?? null);
    const ended = begun.kind === 'go' ? await sweepPages(deps, begun.value) : begun;
    if (ended.kind === 'stop') {
      await releaseSweep(deps.database, key);
      return ended.outcome;
    }
    await finishSweep(deps.database, { ...key, sweptTo: fromStripeSeconds(ended.value.to) });
    noteSuccess(deps, ended.value.found);
    return done;
  } catch (error) {
    await releaseSweep(deps.database, key).catch(() => undefined);
    throw error;
  }
}

function noteSuccess({ logger, counters, clock }: MaintenanceDeps, found: number): void {
  counters.sweepSuccess.set(Math.floor(clock() / 1000));
  if (found > 0) logger.warn('sweep_found_events', { count: found });
}

/** Where to begin and up to where: asks the list for its newest event. */
async function begin(deps: MaintenanceDeps, sweptTo: number | null): Promise<Stop | Go<SweepState>> {
  const { database, stripe, signal, mode, workerId } = deps;
  const page = await readPage(deps, signal, () => stripe.events.list({ limit: 1 }));
  if (page.kind !== 'page') return stopFor(deps, page);
  const [newest] = page.rows;
  if (newest === undefined) {
    await finishSweep(database, { mode, workerId, sweptTo: null });
    noteSuccess(deps, 0);
    return { kind: 'stop', outcome: done };
  }
  const isEmpty = sweptTo === null && (await isLedgerEmpty(database));
  return { kind: 'go', value: beginSweep({ newest: newest.created, sweptTo, isLedgerEmpty: isEmpty }) };
}

function stopFor(
  { logger }: MaintenanceDeps,
  page:
    { kind: 'later'; pauseMs: number; why: string } | { kind: 'refused'; why: string } | { kind: 'missing' },
): Stop {
  if (page.kind === 'later') return { kind: 'stop', outcome: page };
  // The next sweep tries again; until then nobody can say what is missing.
  logger.error('sweep_refused', { why: page.kind === 'refused' ? page.why : 'the list is missing' });
  return { kind: 'stop', outcome: done };
}

async function sweepPages(deps: MaintenanceDeps, begun: SweepState): Promise<Stop | Go<SweepState>> {
  const { database, stripe, stripeEvents, signal, mode, workerId } = deps;
  let state = begun;
  for (;;) {
    const types = typeGroups[state.group];
    if (types === undefined) return { kind: 'go', value: state };
    const { waiting = 0 } = await stripeEvents.counts();
    if (waiting > mostWaiting) return { kind: 'stop', outcome: { kind: 'later', pauseMs: 5_000 } };
    const { from, after } = state;
    const page = await readPage(deps, signal, () =>
      stripe.events.list({
        types: [...types],
        created: { gte: from },
        limit: pageSize,
        ...(after === null ? {} : { starting_after: after }),
      }),
    );
    if (page.kind === 'later' || page.kind === 'refused') return stopFor(deps, page);
    const next = { ...state, group: state.group + 1, after: null };
    if (page.kind === 'missing') {
      // The event that the cursor names is older than Stripe keeps, and so are all after it.
      state = next;
    } else {
      const found = state.found + (await enqueueMissing(deps, page.rows));
      const last = page.rows.at(-1);
      state = page.hasMore && last !== undefined ? { ...state, after: last.id, found } : { ...next, found };
    }
    const isOurs = await saveSweep(database, { mode, workerId, state });
    if (!isOurs) return { kind: 'stop', outcome: done };
  }
}

/** Enqueues the events that are neither in the ledger nor waiting; returns how many. */
async function enqueueMissing(
  { database, stripeEvents, counters, clock }: MaintenanceDeps,
  events: readonly ListedEvent[],
): Promise<number> {
  if (events.length === 0) return 0;
  const recorded = await findRecorded(
    database,
    events.map((event) => event.id),
  );
  const received_at = toTimestamp(clock());
  const added = await Promise.all(
    events
      .filter((event) => !recorded.has(event.id))
      .map((event) =>
        stripeEvents.add(
          { name: event.type, jobId: event.id, data: { event: projectEvent({ ...event }), received_at } },
          { deadlineMs: addDeadlineMs },
        ),
      ),
  );
  const found = added.filter((outcome) => outcome === 'added').length;
  counters.sweepFound.inc(found);
  return found;
}

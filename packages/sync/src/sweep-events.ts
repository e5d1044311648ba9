import {
  dayMs,
  fromStripeSeconds,
  handledEventTypes,
  projectEvent,
  stripeEventId,
  toTimestamp,
} from '@billing/domain';
import type { Instant } from '@billing/domain';
import {
  claimSweep,
  findRecorded,
  finishSweep,
  isLedgerEmpty,
  releaseSweep,
  saveSweep,
} from '@billing/store';
import { z } from 'zod';
import type { JobOutcome, MaintenanceDeps } from './deps.ts';
import { readPage } from './stripe/ask-stripe.ts';
import type { PageLookup } from './stripe/ask-stripe.ts';
import { listedMs, recordUnseen } from './unseen-events.ts';

const done: JobOutcome = { kind: 'done' };
const pageSize = 100;
const addDeadlineMs = 5_000;

/** With more jobs waiting the sweep pauses: the list has time, Redis's memory has a limit. */
const mostWaiting = 20_000;

/** Stripe takes up to 20 types in one request. */
const typesPerRequest = 20;

/** The handled types in as few requests as possible. */
const typeGroups: readonly string[][] = Array.from(
  { length: Math.ceil(handledEventTypes.length / typesPerRequest) },
  (_, index) => handledEventTypes.slice(index * typesPerRequest, (index + 1) * typesPerRequest),
);

/**
 * How far before the newest event seen the next sweep begins: Stripe's list shows events late (about a minute) and
 * not in the order of their seconds.
 */
const overlapMs = 5 * 60_000;

/** A fresh installation: what happened before it is left to reconcile, which needs no events. */
const freshStartMs = dayMs;

/** Where an interrupted sweep continues; `from` and `to` in Stripe's seconds. */
const sweepState = z.object({
  from: z.number().int(),
  to: z.number().int(),
  group: z.number().int().min(0),
  after: z.string().nullable(),
  found: z.number().int().min(0),
});
type SweepState = z.output<typeof sweepState>;

/** What an event needs to be enqueued; it may have anything else. */
const listedEvent = z.looseObject({
  id: stripeEventId,
  type: z.string().min(1),
  data: z.looseObject({ object: z.looseObject({}) }),
});
type ListedEvent = z.output<typeof listedEvent>;

/** Events as the list has them. What is none is logged and left: the next sweep comes by it again. */
function eventsOf({ logger }: MaintenanceDeps, rows: readonly { id: string }[]): ListedEvent[] {
  return rows.flatMap((row) => {
    const parsed = listedEvent.safeParse(row);
    if (parsed.success) return parsed.data;
    logger.warn('sweep_event_not_understood', { event_id: row.id });
    return [];
  });
}

type Stop = { kind: 'stop'; outcome: JobOutcome };
type Go = { kind: 'go'; state: SweepState };

/**
 * Searches Stripe's event list for events that the ledger does not have and enqueues them, newest first: the newest
 * event of an object brings it up to date, and the older ones are then stale. One worker at a time; the position is
 * saved page by page, so an interrupted sweep continues where it was.
 */
export async function sweepEvents(deps: MaintenanceDeps): Promise<JobOutcome> {
  const key = { mode: deps.mode, workerId: deps.workerId };
  const claimed = await claimSweep(deps.database, key);
  if (claimed === null) return done;
  try {
    const stored = sweepState.safeParse(claimed.state);
    const now = deps.clock();
    // What an interrupted sweep still had to read may be listed no more.
    const isCurrent = stored.success && fromStripeSeconds(stored.data.to) > now - listedMs;
    const begun: Stop | Go = isCurrent
      ? { kind: 'go', state: stored.data }
      : await begin(deps, claimed.sweptTo?.getTime() ?? null);
    // The newest event proves that its moment has passed, whatever our clock says.
    const passed = begun.kind === 'go' ? fromStripeSeconds(begun.state.to) : 0;
    await recordUnseen(deps, claimed, Math.max(now, passed));
    const ended = begun.kind === 'go' ? await sweepPages(deps, begun.state) : begun;
    if (ended.kind === 'stop') {
      await releaseSweep(deps.database, key);
      return ended.outcome;
    }
    await finishSweep(deps.database, { ...key, sweptTo: fromStripeSeconds(ended.state.to) });
    noteSuccess(deps, ended.state.found);
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

const seconds = (at: Instant): number => Math.floor(at / 1000);

/** The range to read, measured by the list's own newest event and never by our clock. */
async function begin(deps: MaintenanceDeps, sweptTo: Instant | null): Promise<Stop | Go> {
  const { database, stripe, signal, mode, workerId } = deps;
  const page = await readPage(deps, signal, () => stripe.events.list({ limit: 1 }));
  if (page.kind !== 'page') return stopFor(deps, page);
  const [first] = page.rows;
  if (first === undefined) {
    await finishSweep(database, { mode, workerId, sweptTo: null });
    noteSuccess(deps, 0);
    return { kind: 'stop', outcome: done };
  }
  const newest = first.created;
  // With a ledger but no position in the list (restored, or older than sweeps): all that Stripe keeps.
  const lookBackMs = sweptTo === null && (await isLedgerEmpty(database)) ? freshStartMs : listedMs;
  const from = sweptTo === null ? newest - seconds(lookBackMs) : seconds(sweptTo - overlapMs);
  const state = { from: Math.max(0, Math.min(from, newest)), to: newest, group: 0, after: null, found: 0 };
  return { kind: 'go', state };
}

function stopFor({ logger }: MaintenanceDeps, page: Exclude<PageLookup<never>, { kind: 'page' }>): Stop {
  if (page.kind === 'later') return { kind: 'stop', outcome: page };
  // The next sweep tries again; until then nobody knows what is missing.
  logger.error('sweep_refused', { why: page.kind === 'refused' ? page.why : 'the list is missing' });
  return { kind: 'stop', outcome: done };
}

async function sweepPages(deps: MaintenanceDeps, begun: SweepState): Promise<Stop | Go> {
  const { database, stripe, stripeEvents, signal, mode, workerId } = deps;
  let state = begun;
  for (;;) {
    const types = typeGroups[state.group];
    if (types === undefined) return { kind: 'go', state };
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
      const found = state.found + (await enqueueMissing(deps, eventsOf(deps, page.rows)));
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
          { name: event.type, jobId: event.id, data: { event: projectEvent(event), received_at } },
          { deadlineMs: addDeadlineMs },
        ),
      ),
  );
  const found = added.filter((outcome) => outcome === 'added').length;
  counters.sweepFound.inc(found);
  return found;
}

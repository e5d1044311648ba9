import { setTimeout as sleep } from 'node:timers/promises';
import { planMonths } from '@billing/domain';
import type { Month, MonthsPlan } from '@billing/domain';
import {
  dropPayloadMonth,
  hasPayloadsToMove,
  isDatabaseUnavailable,
  listPayloadMonths,
  makePayloadMonth,
  movePayloads,
} from '@billing/store';
import type { MovePosition } from '@billing/store';
import type { MaintenanceDeps } from './deps.ts';

/** So many months are made ahead: longer than a worker is ever off. */
const monthsAhead = 3;

type Deps = Pick<
  MaintenanceDeps,
  'database' | 'clock' | 'logger' | 'counters' | 'signal' | 'eventRetentionMs'
>;

const plan = async ({ database, clock, eventRetentionMs }: Deps): Promise<MonthsPlan> =>
  planMonths({
    existing: await listPayloadMonths(database),
    now: clock(),
    monthsAhead,
    keptMs: eventRetentionMs,
  });

/** Makes the partitions of payloads for this month and the next ones, and measures how many there are. */
export async function makePayloadMonths(deps: Deps): Promise<void> {
  const { missing, ahead } = await plan(deps);
  deps.counters.payloadMonthsAhead.set(ahead);
  for (const month of missing) await makePayloadMonth(deps.database, month);
  if (missing.length > 0) deps.counters.payloadMonthsAhead.set((await plan(deps)).ahead);
}

const maxTries = 5;
const pauseMs = 1_000;

/** The table's lock is awaited only briefly, because all writers of the ledger would wait behind. */
async function dropUnlocked({ database, signal }: Deps, month: Month): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await dropPayloadMonth(database, month);
    } catch (error) {
      if (tries >= maxTries || signal.aborted || !isDatabaseUnavailable(error)) throw error;
      await sleep(pauseMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Drops the months of payloads that are over for `EVENT_RETENTION_DAYS`. */
export async function dropPayloadMonths(deps: Deps): Promise<void> {
  const { expired } = await plan(deps);
  for (const month of expired) {
    if (deps.signal.aborted) return;
    if (await dropUnlocked(deps, month)) deps.logger.info('ledger_payloads_dropped', { month });
  }
}

/** A process of the previous version may write payloads into the ledger's rows for as long as it runs. */
const lookEveryMs = 3_600_000;

const afterFailureMs = 5_000;

/** After each page a pause of so many times what it took: whatever the disk can do, others have most of it. */
const pauseShare = 4;

const start: MovePosition = { receivedAt: new Date(0), eventId: '' };

/**
 * Moves the payloads that previous versions stored in the ledger's own rows to the table of their month, at most one page
 * at each call. Several processes may do so at once.
 */
export function createPayloadMover({
  database,
  clock,
  logger,
  eventRetentionMs,
}: Deps): () => Promise<'rest'> {
  let after: MovePosition | null = null;
  let moved = 0;
  let restUntil = 0;

  return async () => {
    const startedAt = performance.now();
    if (startedAt < restUntil) return 'rest';
    restUntil = startedAt + afterFailureMs;
    if (after === null) {
      if (!(await hasPayloadsToMove(database))) {
        restUntil = startedAt + lookEveryMs;
        return 'rest';
      }
      after = start;
      moved = 0;
    }
    const page = await movePayloads(database, { after, keptSince: clock() - eventRetentionMs });
    moved += page.moved;
    after = page.after;
    const endedAt = performance.now();
    restUntil = endedAt + (after === null ? lookEveryMs : (endedAt - startedAt) * pauseShare);
    if (after === null) logger.info('ledger_payloads_moved', { count: moved });
    return 'rest';
  };
}

import { meterDelayOf, secondMs } from '@billing/domain';
import type { Instant } from '@billing/domain';
import {
  claimMeterHours,
  claimSending,
  postponeMeterHour,
  postponeReport,
  readMeterBacklog,
  wakeMapped,
  wakePeriodEnds,
} from '@billing/store';
import type { MeterHour } from '@billing/store';
import { createMeterFinder } from './find-meter.ts';
import type { MeterFinder } from './find-meter.ts';
import { reportHour, reportLeaseMs } from './report-hour.ts';
import { sendReport } from './send-report.ts';
import type { MeterDeps } from './send-report.ts';

/** Hours and reports of one round; and how many accounts are worked on at a time. */
const perRound = 100;
const lanes = 8;
const wakeEveryMs = 15 * secondMs;
/** Long enough for a round; a crash delays its hours by as much. */
const hourLeaseMs = 2 * 60 * secondMs;
const awayMs = 2 * secondMs;

/** The hours of one user and feature, which go one after the other. */
function byAccount(hours: readonly MeterHour[]): MeterHour[][] {
  const groups = new Map<string, MeterHour[]>();
  for (const hour of hours) {
    const key = JSON.stringify([hour.projectId, hour.userId, hour.featureCode]);
    groups.set(key, [...(groups.get(key) ?? []), hour]);
  }
  return [...groups.values()];
}

/** Works on all, so many at a time; one that fails concerns no other. */
async function inLanes<One>(all: readonly One[], work: (one: One) => Promise<void>): Promise<void> {
  const left = all.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const one of left) await work(one);
    }),
  );
}

type Round = {
  deps: MeterDeps;
  findMeter: MeterFinder;
  away: () => boolean;
  leave: (until: Instant) => void;
};

async function resumeReports({ deps, findMeter, away, leave }: Round): Promise<number> {
  const reports = await claimSending(deps.database, {
    now: deps.clock(),
    leaseMs: reportLeaseMs,
    limit: perRound,
  });
  await inLanes(reports, async (report) => {
    if (away() || deps.signal.aborted) {
      const until = deps.clock() + awayMs;
      await postponeReport(deps.database, report, { until, problem: 'Stripe takes none at present.' });
      return;
    }
    try {
      const result = await sendReport(deps, report, findMeter);
      if (result.kind === 'away') leave(deps.clock() + awayMs);
    } catch (error) {
      deps.logger.error('meter_report_failed', { event_name: report.eventName, error });
    }
  });
  return reports.length;
}

async function reportHours({ deps, findMeter, away, leave }: Round): Promise<number> {
  if (away()) return 0;
  const { delayMs } = deps.meters;
  const hours = await claimMeterHours(deps.database, {
    now: deps.clock(),
    delayMs,
    endDelayMs: meterDelayOf(delayMs, true),
    leaseMs: hourLeaseMs,
    limit: perRound,
  });
  await inLanes(byAccount(hours), async (ofAccount) => {
    for (const hour of ofAccount) {
      if (away() || deps.signal.aborted) {
        await postponeMeterHour(deps.database, hour, deps.clock() + awayMs);
        continue;
      }
      try {
        if (!(await reportHour(deps, hour, findMeter))) leave(deps.clock() + awayMs);
      } catch (error) {
        deps.logger.error('meter_hour_failed', { project_id: hour.projectId, hour: hour.hour, error });
      }
    }
  });
  return hours.length;
}

/**
 * The loop that tells Stripe what was used: first what is in doubt, then hours that are due. Several workers share the
 * work by leases, and a report that a dead one left is told again under the same identifier.
 */
export function createMeterReporter(deps: MeterDeps): () => Promise<'again' | 'rest'> {
  const findMeter = createMeterFinder(deps);
  let awayUntil = 0;
  let wakesAt = 0;
  const round: Round = {
    deps,
    findMeter,
    away: () => deps.clock() < awayUntil,
    leave: (until) => void (awayUntil = until),
  };
  return async () => {
    const now = deps.clock();
    if (now >= wakesAt) {
      await wakePeriodEnds(deps.database, now);
      await wakeMapped(deps.database, now);
      wakesAt = now + wakeEveryMs;
    }
    const { delayMs } = deps.meters;
    const done = round.away() ? 0 : (await resumeReports(round)) + (await reportHours(round));
    const oldest = await readMeterBacklog(deps.database, { now: deps.clock(), delayMs });
    const lagMs = oldest === null ? 0 : deps.clock() - oldest.getTime() - delayMs;
    deps.counters.meterLag.set(Math.max(0, lagMs) / secondMs);
    return done >= perRound && !round.away() ? 'again' : 'rest';
  };
}

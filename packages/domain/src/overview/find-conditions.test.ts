import { conditionCodes } from './condition-codes.ts';
import { findConditions } from './find-conditions.ts';
import type { OverviewFacts } from './find-conditions.ts';
import { sampleWindow } from './sample-window.ts';

const queue = { name: 'stripe-events', waiting: 0, active: 0, delayed: 0, failed: 0, oldest_seconds: 0 };

const well: OverviewFacts = {
  processes: { api: 2, worker: 1, other: 0 },
  queues: [queue, { ...queue, name: 'maintenance', oldest_seconds: 600 }],
  events: { failed: 0, quarantined: 0 },
  stripe_reads: {
    per_second: 20,
    allowed_per_second: 20,
    available: 20,
    at: '2026-11-22T10:00:00.000Z',
  },
  last_sweep: { succeeded_at: '2026-11-22T10:00:00.000Z', age_seconds: 120 },
  drift: { run_id: 'run_1', finished_at: '2026-11-22T02:00:00.000Z', differences: 0 },
  webhooks: { endpoints_enabled: 3, endpoints_disabled: 1, endpoints_key_missing: 0, deliveries_due: 1_000 },
  unseenSeconds: 0,
  runsFailed: 0,
  pricesUnverified: 0,
  endpointsGivenUp: 0,
};

const changes: Record<(typeof conditionCodes)[number], Partial<OverviewFacts>> = {
  queue_unreachable: { queues: null },
  no_worker: { processes: { api: 2, worker: 0, other: 0 } },
  queue_waits: { queues: [{ ...queue, oldest_seconds: 61 }] },
  events_failed: { events: { failed: 1, quarantined: 0 } },
  sweep_late: { last_sweep: { succeeded_at: '2026-11-22T10:00:00.000Z', age_seconds: 901 } },
  webhook_key_missing: { webhooks: { ...well.webhooks, endpoints_key_missing: 1 } },
  stripe_throttled: {
    stripe_reads: {
      per_second: 20,
      allowed_per_second: 9,
      available: 0,
      at: '2026-11-22T10:00:00.000Z',
    },
  },
  events_quarantined: { events: { failed: 0, quarantined: null } },
  events_not_seen: { unseenSeconds: 1 },
  drift_found: { drift: { run_id: 'run_1', finished_at: '2026-11-22T02:00:00.000Z', differences: 3 } },
  runs_failed: { runsFailed: 1 },
  prices_unverified: { pricesUnverified: 2 },
  webhook_endpoints_given_up: { endpointsGivenUp: 1 },
  webhook_deliveries_wait: { webhooks: { ...well.webhooks, deliveries_due: 1_001 } },
};

test('where all is well nothing needs somebody', () => {
  expect(findConditions(well)).toEqual([]);
  // On a fresh installation nothing was swept, reconciled or asked yet; workers of an older version do not say what they are.
  const fresh = { last_sweep: { succeeded_at: null, age_seconds: null }, drift: null, stripe_reads: null };
  expect(findConditions({ ...well, ...fresh, processes: { api: 1, worker: 0, other: 1 } })).toEqual([]);
});

test.each(conditionCodes)('%s is found alone, with words', (code) => {
  const [found, ...others] = findConditions({ ...well, ...changes[code] });
  expect([found?.code, others]).toEqual([code, []]);
  expect(found?.words).toMatch(/^.{20,}\.$/);
});

test('the most urgent come first', () => {
  const all = Object.values(changes).reduce<OverviewFacts>((facts, one) => ({ ...facts, ...one }), well);
  const severities = findConditions(all).map(({ severity }) => severity);
  expect(severities).toEqual(severities.toSorted());
});

describe('a window of samples', () => {
  const now = Date.parse('2026-11-22T10:00:00.000Z');
  const hour = 3_600_000;

  test('is the last hour, each sample by itself, where nothing is said', () => {
    expect(sampleWindow({}, now)).toEqual({ from: now - hour, to: now, stepSeconds: 10 });
  });

  test('is no longer than samples are kept, and has no more than one answer may', () => {
    const long = sampleWindow({ from: 0, to: now + hour }, now);
    expect(long).toEqual({ from: now - 48 * hour, to: now, stepSeconds: 180 });
    expect((long.to - long.from) / 1_000 / long.stepSeconds).toBeLessThan(1_000);
    expect(sampleWindow({ from: now + hour }, now).stepSeconds).toBe(10);
  });
});

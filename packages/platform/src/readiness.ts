import { withDeadline } from './deadline.ts';

/** One word for each dependency: `ok`, or what is wrong. */
export type ReadinessChecks = Record<string, string>;

export type ReadinessOptions = {
  /** By dependency; each resolves to `ok` or to what is wrong. */
  readonly checks: Record<string, () => Promise<string>>;
  readonly deadlineMs: number;
  readonly isStopping: () => boolean;
};

const noAnswer = (): Error => new Error('no answer in time');

/** Runs all checks at once. One that rejects, or takes longer than the deadline, says `unreachable`. */
export async function checkDependencies(options: ReadinessOptions): Promise<ReadinessChecks> {
  const { deadlineMs: ms, isStopping } = options;
  const results = await Promise.all(
    Object.entries(options.checks).map(async ([name, check]) => [
      name,
      await withDeadline(check(), { ms, onTimeout: noAnswer }).catch(() => 'unreachable'),
    ]),
  );
  return { ...Object.fromEntries(results), ...(isStopping() ? { process: 'shutting down' } : {}) };
}

export type ReadinessAnswer = {
  status: 200 | 503;
  body: { status: 'ready' | 'degraded' | 'not ready'; checks: ReadinessChecks };
};

/** How a check begins that names a trouble in which the process still does its work. */
export const degraded = 'degraded: ';

/** What `/ready` answers: 503 if any check is neither `ok` nor `degraded: …`. */
export function readinessAnswer(checks: ReadinessChecks): ReadinessAnswer {
  const values = Object.values(checks);
  if (values.every((check) => check === 'ok')) return { status: 200, body: { status: 'ready', checks } };
  const works = values.every((check) => check === 'ok' || check.startsWith(degraded));
  return works
    ? { status: 200, body: { status: 'degraded', checks } }
    : { status: 503, body: { status: 'not ready', checks } };
}

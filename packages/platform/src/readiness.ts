import { withDeadline } from './deadline.ts';

/**
 * What was found of one dependency. `blocked`: this process must not be sent requests, wherever the dependency is.
 * `away`: it is not there, or is not one to be used. `impaired`: it can be read, and refuses writes. `noted`: all works,
 * and something about it should be looked at.
 */
export type Finding = { state: 'ok' } | { state: 'blocked' | 'away' | 'impaired' | 'noted'; says: string };

/** One word for each dependency: `ok`, or what is wrong. */
export type ReadinessChecks = Record<string, string>;

export type ReadinessAnswer = {
  status: 200 | 503;
  body: { status: 'ready' | 'degraded' | 'not ready'; checks: ReadinessChecks };
};

export type ReadinessOptions = {
  /** By dependency. */
  readonly checks: Readonly<Record<string, () => Promise<Finding>>>;
  /** What asks for somebody to look although all works, by name; empty: nothing. */
  readonly notes?: () => ReadinessChecks;
  /** What is shown only where something is found; one that rejects found nothing. */
  readonly further?: () => Promise<Readonly<Record<string, Finding>>>;
  readonly deadlineMs: number;
  readonly isStopping: () => boolean;
  /** Whether this process has something to answer while these dependencies are away or impaired. */
  readonly isOfUse: (findings: Readonly<Record<string, Finding>>) => boolean;
};

export type Readiness = {
  /** Runs all checks at once. One that rejects, or takes longer than the deadline, says `unreachable`. */
  ask: () => Promise<ReadinessAnswer>;
  /** Whether each dependency was there once since the start: until then the process is not ready. */
  hasBegun: () => boolean;
};

export const ok: Finding = { state: 'ok' };
const unreachable: Finding = { state: 'away', says: 'unreachable' };
const noAnswer = (): Error => new Error('no answer in time');

/** Answers `/ready`, and remembers which dependencies this process has reached. */
export function createReadiness(options: ReadinessOptions): Readiness {
  const { checks, notes = (): ReadinessChecks => ({}), further, deadlineMs, isStopping, isOfUse } = options;
  const names = Object.keys(checks);
  const reached = new Set<string>();
  const hasBegun = (): boolean => reached.size === names.length;
  return {
    hasBegun,
    async ask() {
      const furtherFound = withDeadline(further?.() ?? Promise.resolve({}), {
        ms: deadlineMs,
        onTimeout: noAnswer,
      }).catch(() => ({}));
      const found = await Promise.all(
        Object.entries(checks).map(async ([name, check]): Promise<[string, Finding]> => {
          const finding = await withDeadline(check(), { ms: deadlineMs, onTimeout: noAnswer }).catch(
            () => unreachable,
          );
          if (finding.state === 'ok' || finding.state === 'noted') reached.add(name);
          return [name, finding];
        }),
      );
      const noted = Object.entries(notes()).map(([name, says]): [string, Finding] => [
        name,
        { state: 'noted', says },
      ]);
      const findings = { ...Object.fromEntries([...found, ...noted]), ...(await furtherFound) };
      return decideReadiness({
        findings,
        hasBegun: hasBegun(),
        isStopping: isStopping(),
        isOfUse: isOfUse(findings),
      });
    },
  };
}

export type ReadinessState = {
  findings: Readonly<Record<string, Finding>>;
  hasBegun: boolean;
  isStopping: boolean;
  isOfUse: boolean;
};

/** What `/ready` answers: `not ready` takes the process out of the balancer, `degraded` asks for somebody to look. */
export function decideReadiness({
  findings,
  hasBegun,
  isStopping,
  isOfUse,
}: ReadinessState): ReadinessAnswer {
  const checks = Object.fromEntries(
    Object.entries(findings).map(([name, finding]) => [name, finding.state === 'ok' ? 'ok' : finding.says]),
  );
  if (isStopping) return notReady({ ...checks, process: 'shutting down' });
  const has = (state: Finding['state']): boolean =>
    Object.values(findings).some((finding) => finding.state === state);
  const isCutOff = (has('away') || has('impaired')) && !isOfUse;
  if (has('blocked') || !hasBegun || isCutOff) return notReady(checks);
  const isSound = Object.values(checks).every((says) => says === 'ok');
  return { status: 200, body: { status: isSound ? 'ready' : 'degraded', checks } };
}

const notReady = (checks: ReadinessChecks): ReadinessAnswer => ({
  status: 503,
  body: { status: 'not ready', checks },
});

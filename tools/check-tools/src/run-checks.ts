import type { Check, System } from './check.ts';
import { findProgram } from './run-tool.ts';

export type Outcome =
  | { name: string; outcome: 'passed'; text: string; ms: number }
  | { name: string; outcome: 'failed'; text: string; ms: number }
  | { name: string; outcome: 'skipped'; text: string };

/** Runs one check, unless a program that it needs is missing. */
export async function runCheck({ name, needs, run }: Check, system: System): Promise<Outcome> {
  const found = await Promise.all(needs.map(findProgram));
  const missing = found.flatMap((one) => ('missing' in one ? [one.missing] : []));
  if (missing.length > 0) return { name, outcome: 'skipped', text: missing.join('; ') };
  const startedAt = performance.now();
  const ms = (): number => performance.now() - startedAt;
  try {
    const text = await run(system);
    return { name, outcome: 'passed', text, ms: ms() };
  } catch (error) {
    return {
      name,
      outcome: 'failed',
      text: error instanceof Error ? error.message : String(error),
      ms: ms(),
    };
  }
}

/** One outcome as lines. */
export function describe(one: Outcome): string {
  const seconds = one.outcome === 'skipped' ? '' : ` (${(one.ms / 1_000).toFixed(1)} s)`;
  return `${one.outcome.padEnd(7)} ${one.name}: ${one.text}${seconds}`;
}

/**
 * The last line, and the exit code. `mayNotSkip`: a check that was skipped is a failure: in CI, where every tool is
 * installed.
 */
export function summarize(
  outcomes: readonly Outcome[],
  { mayNotSkip }: { mayNotSkip: boolean },
): { line: string; exitCode: number } {
  const count = (outcome: Outcome['outcome']): number =>
    outcomes.filter((one) => one.outcome === outcome).length;
  const [passed, failed, skipped] = [count('passed'), count('failed'), count('skipped')];
  const line = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  const isGood = failed === 0 && passed > 0 && !(mayNotSkip && skipped > 0);
  return { line, exitCode: isGood ? 0 : 1 };
}

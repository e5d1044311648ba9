export type WarmUpLimits = {
  readonly rounds: number;
  /** No further round begins after that. */
  readonly ms: number;
};

/**
 * Runs work again and again before the process is ready: V8 compiles what has run often, and Postgres plans a prepared
 * statement for all values after a few runs. On a path that is seldom used the first callers would pay for both. Rejects
 * as the work does.
 */
export async function warmUp(work: () => Promise<unknown>, { rounds, ms }: WarmUpLimits): Promise<void> {
  const endsAt = performance.now() + ms;
  for (let round = 0; round < rounds && performance.now() < endsAt; round += 1) await work();
}

export interface CircuitOptions {
  /** So many failures in a row, with no success in between, open it. */
  readonly failuresToOpen: number;
  /** While it is open one call in this time goes through, to see whether the other side is back. */
  readonly probeEveryMs: number;
  /** So long after the last failure it is closed again, as nobody can tell any more. */
  readonly forgetAfterMs: number;
}

export type Circuit = ReturnType<typeof createCircuit>;

/**
 * A circuit breaker: where a dependency keeps failing, callers are refused at once instead of each waiting for
 * its own timeout. The caller reports how each admitted call ended.
 */
export function createCircuit({ failuresToOpen, probeEveryMs, forgetAfterMs }: CircuitOptions) {
  let failures = 0;
  let nextProbeAt = 0;
  let lastFailureAt = 0;
  return {
    /** False: do not call now. */
    admits(): boolean {
      if (failures < failuresToOpen) return true;
      const now = performance.now();
      if (now - lastFailureAt > forgetAfterMs) {
        failures = 0;
        return true;
      }
      if (now < nextProbeAt) return false;
      nextProbeAt = now + probeEveryMs;
      return true;
    },
    succeeded(): void {
      failures = 0;
    },
    failed(): void {
      failures += 1;
      lastFailureAt = performance.now();
      if (failures === failuresToOpen) nextProbeAt = lastFailureAt + probeEveryMs;
    },
  };
}

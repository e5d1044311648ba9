export type CircuitOptions = {
  /** This many failures in a row, with no success in between, open it. */
  readonly failuresToOpen: number;
  /** While it is open, one call in this time is admitted, to see whether the dependency is back. */
  readonly probeEveryMs: number;
  /** This long after the last failure it closes again. */
  readonly forgetAfterMs: number;
};

export type Circuit = {
  /** False: do not call now. */
  readonly admits: () => boolean;
  readonly succeeded: () => void;
  readonly failed: () => void;
};

/**
 * A circuit breaker: while a dependency keeps failing, calls are refused at once instead of each waiting for its
 * own timeout. The caller reports how each admitted call ended.
 */
export function createCircuit({ failuresToOpen, probeEveryMs, forgetAfterMs }: CircuitOptions): Circuit {
  let failures = 0;
  let nextProbeAt = 0;
  let lastFailureAt = 0;
  return {
    admits() {
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
    succeeded() {
      failures = 0;
    },
    failed() {
      failures += 1;
      lastFailureAt = performance.now();
      if (failures === failuresToOpen) nextProbeAt = lastFailureAt + probeEveryMs;
    },
  };
}

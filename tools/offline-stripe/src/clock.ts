/** Stripe's time here: real time plus an offset that only the clock control moves. All values are Unix seconds. */
export interface Clock {
  now(): number;
  offset(): number;
  setOffset(seconds: number): void;
  /** Runs something as if it were `at`: what is due gets its own moment as `created`, however late it is done. */
  runAt(at: number, run: () => void): void;
}

export function createClock(): Clock {
  let offset = 0;
  let fixed: number | null = null;
  return {
    now: () => fixed ?? Math.floor(Date.now() / 1000) + offset,
    offset: () => offset,
    setOffset: (seconds) => {
      offset = seconds;
    },
    runAt: (at, run) => {
      const outer = fixed;
      fixed = at;
      try {
        run();
      } finally {
        fixed = outer;
      }
    },
  };
}

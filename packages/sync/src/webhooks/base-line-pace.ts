/** So long a statement that costs nothing waits for its turn where others have as much to do as there is room for. */
const busyMs = 4;
/** Of the time that a step took: where others have nothing to do, and where they have. */
const restShare = { least: 0.1, most: 1 } as const;
/** What the last probe counts for, beside those before. */
const newest = 0.3;

export type Pace = {
  /** Runs a statement that costs next to nothing, and notes how long it waited for its turn: in this process and in Postgres. */
  probe: <T>(statement: () => Promise<T>) => Promise<T>;
  /** How long to rest after a step that took so long. */
  restMs: (tookMs: number) => number;
};

/**
 * How fast work that can wait is done: nearly all the time while nobody else has anything to do, half of it while others wait.
 * What a statement takes longer than the quickest of its kind is how long it waited for others. `now`: milliseconds.
 */
export function createPace(now: () => number = () => performance.now()): Pace {
  let quickestMs = Infinity;
  let waitMs = busyMs;
  return {
    probe: async (statement) => {
      const startedAt = now();
      const result = await statement();
      const tookMs = now() - startedAt;
      quickestMs = Math.min(quickestMs, tookMs);
      waitMs += newest * (tookMs - quickestMs - waitMs);
      return result;
    },
    restMs: (tookMs) => {
      const { least, most } = restShare;
      return tookMs * (least + (most - least) * Math.min(1, waitMs / busyMs));
    },
  };
}

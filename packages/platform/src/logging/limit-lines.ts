export type LineLimit = {
  /** Whether a line may be written now; one that may not is counted. */
  readonly admits: () => boolean;
};

/**
 * At most so many lines a second; those beyond are counted, and `summarize` writes their number, once a second. So a
 * flood that others cause costs neither the log nor the disk more than a few lines.
 */
export function limitLines(perSecond: number, summarize: (count: number) => void): LineLimit {
  let second = 0;
  let written = 0;
  let left = 0;

  function summarizeLeft(): void {
    const count = left;
    left = 0;
    summarize(count);
  }

  return {
    admits() {
      const current = Math.floor(performance.now() / 1_000);
      if (current !== second) {
        second = current;
        written = 0;
      }
      if (written < perSecond) {
        written += 1;
        return true;
      }
      left += 1;
      if (left === 1) setTimeout(summarizeLeft, 1_000).unref();
      return false;
    },
  };
}

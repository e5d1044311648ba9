/** Two windows that differ by no more than this share show that a figure stands. */
const tolerance = 0.05;

/** Whether the last two of the figures of successive windows are within 5 % of each other. */
export function stands(figures: readonly number[]): boolean {
  const [last, before] = [figures.at(-1), figures.at(-2)];
  if (last === undefined || before === undefined) return false;
  return Math.abs(last - before) <= tolerance * Math.min(last, before);
}

/** How much load comes before the first measured round, whatever the windows show. */
const usual = { leastCount: 5_000, leastMs: 30_000 };

export type WarmUp = {
  name: string;
  /** Runs one window of load; returns its figure and how many requests or events it was. */
  window: () => Promise<{ figure: number; count: number }>;
  say: (line: string) => void;
  /** When it is given up. */
  mostMs: number;
  /** Default: 5,000 requests, or 30 s. */
  leastCount?: number;
  leastMs?: number;
};

/**
 * Runs windows of load until there were enough of it and the figure stands: V8 compiles for thousands of events, and
 * connections plan anew; a figure from before tells how long a process has been up. Returns whether it stands.
 */
export async function warmUp(options: WarmUp): Promise<boolean> {
  const { name, window, say, mostMs, leastCount, leastMs } = { ...usual, ...options };
  const startedAt = performance.now();
  const figures: number[] = [];
  let total = 0;
  let elapsedMs = 0;
  let isDone = false;
  while (!isDone) {
    const { figure, count } = await window();
    figures.push(figure);
    total += count;
    elapsedMs = performance.now() - startedAt;
    const isEnough = total >= leastCount || elapsedMs >= leastMs;
    isDone = elapsedMs >= mostMs || (isEnough && stands(figures));
  }
  const last = figures.slice(-2).map((figure) => Math.round(figure));
  const outcome = stands(figures) ? 'warm' : 'DOES NOT STAND, measured all the same,';
  say(
    `  ${name}: ${outcome} after ${total} in ${Math.round(elapsedMs / 1000)} s (CPU µs ${last.join(', ')})`,
  );
  return stands(figures);
}

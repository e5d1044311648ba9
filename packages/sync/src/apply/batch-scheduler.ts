/** A batch that takes longer (a locked user, a slow disk) lets others pass. */
const slowBatchMs = 100;
const maxBatches = 4;
/** Under a backlog one batch is prepared here while Postgres writes another. */
const maxQuick = 2;

export type BatchSchedulerOptions = {
  /** Begins a batch of what is waiting, null if nothing is; the promise does not reject. */
  start: () => Promise<void> | null;
  /** Enough waits for a batch worth having, though one is under way. */
  hasBacklog: () => boolean;
};

/**
 * When the next batch starts. With nothing under way at once, which is at the end of this turn of the event loop:
 * jobs that came by one read of the socket go together. Otherwise what comes meanwhile goes when the running one
 * is done, or turns out to be slow, of which there are a few at most; or as soon as it is many.
 */
export function createBatchScheduler({ start, hasBacklog }: BatchSchedulerOptions): { schedule: () => void } {
  let running = 0;
  let quick = 0;
  let isDue = false;

  async function follow(batch: Promise<void>): Promise<void> {
    let isQuick = true;
    const leaveQuick = (): void => {
      if (isQuick) quick -= 1;
      isQuick = false;
    };
    running += 1;
    quick += 1;
    const timer = setTimeout(() => {
      leaveQuick();
      schedule();
    }, slowBatchMs);
    await batch;
    clearTimeout(timer);
    leaveQuick();
    running -= 1;
    schedule();
  }

  const mayStart = (): boolean => running < maxBatches && (quick === 0 || (quick < maxQuick && hasBacklog()));

  function begin(): void {
    isDue = false;
    if (!mayStart()) return;
    const batch = start();
    if (batch !== null) void follow(batch);
  }

  function schedule(): void {
    if (isDue || !mayStart()) return;
    isDue = true;
    setImmediate(begin);
  }

  return { schedule };
}

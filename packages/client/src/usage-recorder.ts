import { BillingError, isBillingError } from './billing-error.ts';
import { requireInteger } from './options.ts';
import { pauseMs } from './retry.ts';
import { toRecordedEvent } from './to-recorded-event.ts';
import type { RecordedUsage } from './to-recorded-event.ts';
import { createBacklog } from './usage-backlog.ts';
import type { UsageCalls } from './usage-calls.ts';
import type { UsageEvent } from './usage-wire.ts';

export type RecorderOptions = {
  /** Called with each event that the service refused for good, and why. Nothing else gives an event up. */
  onRefused: (event: UsageEvent, error: { code: string; detail: string }) => void;
  /** Called when a batch could not be sent. Its events are kept, and sent again. */
  onError?: ((error: unknown) => void) | undefined;
  /** How long an event waits for others. Default 1,000. While sending fails the pauses grow, up to a minute. */
  intervalMs?: number | undefined;
  /** How many events may wait. Default 10,000, each of some KB at most. */
  maxPending?: number | undefined;
};

export type UsageRecorder = {
  /**
   * Keeps it in memory until it was sent; returns its id. Throws `invalid_request` for what could never be stored,
   * `recorder_full` or `recorder_closed`.
   */
  record: (usage: RecordedUsage) => string;
  /** Sends all that waits now. Rejects if some could not be sent: it is kept. */
  flush: () => Promise<void>;
  /** Takes no more, sends what waits, and returns what could not be sent: keep it, and record it again. */
  close: () => Promise<UsageEvent[]>;
};

const refusal = (code: string, detail: string): BillingError => new BillingError({ code, detail });

const retryAfterOf = (error: unknown): number | null => (isBillingError(error) ? error.retryAfterMs : null);

/** Sends what happened in batches, in order; resends with the same ids, so that nothing counts twice. */
export function createRecorder(calls: Pick<UsageCalls, 'useBatch'>, options: RecorderOptions): UsageRecorder {
  const { intervalMs = 1_000, maxPending = 10_000, onError = () => {} } = options;
  if (typeof options.onRefused !== 'function') throw new TypeError('onRefused must be a function');
  requireInteger('intervalMs', intervalMs, { min: 1, max: 3_600_000 });
  requireInteger('maxPending', maxPending, { min: 1, max: 1_000_000 });
  const backlog = createBacklog(calls, options);
  let isClosed = false;
  let sending: Promise<void> | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let failures = 0;
  let retryAfterMs: number | null = null;

  const sendNow = async (): Promise<void> => {
    try {
      await backlog.send();
      failures = 0;
      retryAfterMs = null;
    } catch (error) {
      failures += 1;
      retryAfterMs = retryAfterOf(error);
      throw error;
    } finally {
      sending = null;
      plan();
    }
  };

  const flush = async (): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    // What came after it began is no part of it.
    if (sending !== null) await sending.catch(() => {});
    sending ??= sendNow();
    return sending;
  };

  const plan = (): void => {
    if (isClosed || timer !== null || sending !== null || backlog.size() === 0) return;
    const pause = pauseMs({ intervalMs, failures, retryAfterMs, random: Math.random() });
    // Not unref'ed: a process that has nothing else to do still sends what waits.
    timer = setTimeout(() => {
      timer = null;
      flush().catch(onError);
    }, pause);
  };

  return {
    record: (usage) => {
      if (isClosed) throw refusal('recorder_closed', 'The recorder is closed: make another.');
      const event = toRecordedEvent(usage);
      if (backlog.size() >= maxPending)
        throw refusal('recorder_full', `${maxPending} events wait to be sent. Keep this one, and try later.`);
      backlog.add(event);
      plan();
      return event.event_id;
    },
    flush,
    close: async () => {
      isClosed = true;
      await flush().catch(onError);
      return backlog.left();
    },
  };
}

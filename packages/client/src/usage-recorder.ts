import { BillingError, isBillingError } from './billing-error.ts';
import { createIdempotencyKey } from './retry.ts';
import type { UsageCalls } from './usage-calls.ts';
import type { UsageEvent } from './usage-wire.ts';

export type RecorderOptions = {
  /** Called with each event that the service refused for good, and why. Nothing else gives an event up. */
  onRefused: (event: UsageEvent, error: { code: string; detail: string }) => void;
  /** Called when a batch could not be sent. Its events are kept, and sent again. */
  onError?: ((error: unknown) => void) | undefined;
  /** How long an event waits for others. Default 1,000. */
  intervalMs?: number | undefined;
  /** How many events may wait. Default 10,000. */
  maxPending?: number | undefined;
};

/** What happened, as `UsageEvent`; an id and the time are added where they are absent. */
export type RecordedUsage = Omit<UsageEvent, 'mode' | 'event_id'> & { event_id?: string | undefined };

export type UsageRecorder = {
  /** Keeps it in memory until it was sent; returns its id. Throws `recorder_full` or `recorder_closed`. */
  record: (usage: RecordedUsage) => string;
  /** Sends all that waits now. Rejects if some could not be sent: it is kept. */
  flush: () => Promise<void>;
  /** Takes no more, sends what waits, and returns what could not be sent: keep it, and record it again. */
  close: () => Promise<UsageEvent[]>;
};

const batchSize = 500;
/** Refusals of one event that say nothing about it. */
const transient: ReadonlySet<string> = new Set([
  'usage_unavailable',
  'service_unavailable',
  'internal_error',
]);

/** The events that wait, and how they leave. */
function createBacklog(calls: Pick<UsageCalls, 'useBatch'>, options: RecorderOptions) {
  const pending: UsageEvent[] = [];

  /** The callback's own failure must not keep the others from being told. */
  const refuse = (event: UsageEvent, error: { code: string; detail: string }): void => {
    try {
      options.onRefused(event, error);
    } catch (failure) {
      options.onError?.(failure);
    }
  };

  /** Sends events that come after `keptBefore` others; those that must wait stay. Returns how many did. */
  const sendSome = async (batch: readonly UsageEvent[], keptBefore: number): Promise<number> => {
    const results = await calls.useBatch(batch);
    const refusals = batch.flatMap((event, index) => {
      const result = results[index];
      return result !== undefined && 'error' in result ? [{ event, error: result.error }] : [];
    });
    const kept = refusals.filter(({ error }) => transient.has(error.code));
    pending.splice(keptBefore, batch.length, ...kept.map(({ event }) => event));
    for (const { event, error } of refusals) if (!transient.has(error.code)) refuse(event, error);
    return kept.length;
  };

  const sendAll = async (): Promise<void> => {
    let kept = 0;
    for (let size = batchSize; pending.length > kept;) {
      const batch = pending.slice(kept, kept + size);
      try {
        const more = await sendSome(batch, kept);
        kept += more;
        // One event that fails holds up no other; where all fail, it is not theirs.
        if (more === batch.length) break;
      } catch (error) {
        if (!isBillingError(error) || error.code !== 'payload_too_large') throw error;
        const [first] = batch;
        if (batch.length > 1) size = Math.ceil(batch.length / 2);
        else if (first !== undefined) {
          pending.splice(kept, 1);
          refuse(first, error);
        }
      }
    }
    if (kept > 0) throw unavailable(kept);
  };

  return { add: (event: UsageEvent) => pending.push(event), left: () => pending, sendAll };
}

/** Sends what happened in batches, in order; resends with the same ids, so that nothing counts twice. */
export function createRecorder(calls: Pick<UsageCalls, 'useBatch'>, options: RecorderOptions): UsageRecorder {
  const { intervalMs = 1_000, maxPending = 10_000 } = options;
  const backlog = createBacklog(calls, options);
  let isClosed = false;
  let sending: Promise<void> | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;

  const flush = (): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    sending ??= backlog.sendAll().finally(() => {
      sending = null;
      if (backlog.left().length > 0) plan();
    });
    return sending;
  };

  const plan = (): void => {
    if (isClosed || timer !== null || sending !== null) return;
    // Not unref'ed: a process that has nothing else to do still sends what waits.
    timer = setTimeout(() => {
      flush().catch((error: unknown) => options.onError?.(error));
    }, intervalMs);
  };

  return {
    record: (usage) => {
      if (isClosed) throw refusedHere('recorder_closed', 'The recorder is closed: make another.');
      if (backlog.left().length >= maxPending)
        throw refusedHere(
          'recorder_full',
          `${maxPending} events wait to be sent. Keep this one, and try later.`,
        );
      // Fixed now: what is sent again must be the same event, at the time when it happened.
      const event_id = usage.event_id ?? createIdempotencyKey();
      const timestamp = usage.timestamp ?? new Date().toISOString();
      // Throws here for what is no JSON, before it could hold up the others; and the caller may change its object.
      const body: RecordedUsage = JSON.parse(JSON.stringify(usage));
      backlog.add({ ...body, event_id, timestamp, mode: 'record' });
      plan();
      return event_id;
    },
    flush,
    close: async () => {
      isClosed = true;
      await flush().catch((error: unknown) => {
        options.onError?.(error);
      });
      return backlog.left();
    },
  };
}

const refusedHere = (code: string, detail: string): BillingError => new BillingError({ code, detail });

const unavailable = (count: number): BillingError =>
  new BillingError({
    code: 'usage_unavailable',
    detail: `${count} events could not be stored yet. They are kept, and sent again.`,
    status: 503,
  });

import { BillingError, isBillingError } from './billing-error.ts';
import type { UsageCalls } from './usage-calls.ts';
import type { UsageEvent } from './usage-wire.ts';

type Refusal = { code: string; detail: string };

export type BacklogOptions = {
  onRefused: (event: UsageEvent, error: Refusal) => void;
  onError?: ((error: unknown) => void) | undefined;
};

/** Events that wait, in order, and how they leave. */
export type Backlog = {
  add: (event: UsageEvent) => void;
  size: () => number;
  left: () => UsageEvent[];
  /** Sends those that wait now; rejects where some must wait on, which are kept. */
  send: () => Promise<void>;
};

const batchSize = 500;
/** Refusals of one event that say nothing about it. */
const transient: ReadonlySet<string> = new Set([
  'usage_unavailable',
  'service_unavailable',
  'internal_error',
  'rate_limited',
]);
/** Whether a whole batch was refused for what may be in one of its events; a proxy says it by the status alone. */
const isOfContent = (error: unknown): error is BillingError =>
  isBillingError(error) && (error.status === 413 || error.code === 'invalid_request');

const unavailable = (count: number): BillingError =>
  new BillingError({
    code: 'usage_unavailable',
    detail: `${count} events could not be stored yet. They are kept, and sent again.`,
    status: 503,
  });

export function createBacklog(calls: Pick<UsageCalls, 'useBatch'>, options: BacklogOptions): Backlog {
  const pending: UsageEvent[] = [];

  /** The callback's own failure must not keep the others from being told. */
  const refuse = (event: UsageEvent, error: Refusal): void => {
    try {
      options.onRefused(event, error);
    } catch (failure) {
      options.onError?.(failure);
    }
  };

  /** Sends events that come after `keptBefore` others; those that must wait stay. Returns how many did. */
  const sendBatch = async (batch: readonly UsageEvent[], keptBefore: number): Promise<number> => {
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

  /** The same; where the whole is refused for what is in it, its halves, so that one event holds up no other. */
  const sendParts = async (batch: readonly UsageEvent[], keptBefore: number): Promise<number> => {
    try {
      return await sendBatch(batch, keptBefore);
    } catch (error) {
      if (!isOfContent(error)) throw error;
      const [first] = batch;
      if (batch.length === 1 && first !== undefined) {
        pending.splice(keptBefore, 1);
        refuse(first, error);
        return 0;
      }
      const middle = Math.ceil(batch.length / 2);
      const kept = await sendParts(batch.slice(0, middle), keptBefore);
      return kept + (await sendParts(batch.slice(middle), keptBefore + kept));
    }
  };

  const send = async (): Promise<void> => {
    let kept = 0;
    for (let left = pending.length; left > 0;) {
      const batch = pending.slice(kept, kept + Math.min(batchSize, left));
      left -= batch.length;
      const more = await sendParts(batch, kept);
      kept += more;
      // One event that fails holds up no other; where all fail, it is not theirs.
      if (more === batch.length && left > 0) throw unavailable(kept + left);
    }
    if (kept > 0) throw unavailable(kept);
  };

  return {
    add: (event) => void pending.push(event),
    size: () => pending.length,
    left: () => [...pending],
    send,
  };
}

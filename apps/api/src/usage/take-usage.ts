import { ServiceError } from '@billing/domain';
import type { CommandResult, ReservationOut, UsageOut } from '@billing/domain';
import { createCircuit, withDeadline } from '@billing/platform';
import { UsageUnavailable } from '@billing/store';
import type { AskedCommand, Usage } from '@billing/store';

/** Of the second that a call may take, what deciding it may use up: the rest is for the queue, where that is the way out. */
const decideMs = 600;
/** Of up to 500 events, which are several commits. */
export const decideManyMs = 2_000;
const circuitOptions = { failuresToOpen: 5, probeEveryMs: 250, forgetAfterMs: 1_500 };

export const usageUnavailable = (cause?: unknown): ServiceError =>
  new ServiceError('usage_unavailable', 'Send the same again in a moment: usage cannot be taken now.', {
    retryable: true,
    retryAfterSeconds: 1,
    cause,
  });

/** Decides and commits. Throws `usage_unavailable` in time; while Postgres is away most calls are refused at once. */
export type TakeUsage = (asked: AskedCommand, withinMs?: number) => Promise<CommandResult>;

export function createUsageTaker({ committer }: Pick<Usage, 'committer'>): TakeUsage {
  const circuit = createCircuit(circuitOptions);
  return async (asked, withinMs = decideMs) => {
    if (!circuit.admits()) throw usageUnavailable();
    const endsAt = performance.now() + withinMs;
    try {
      const result = await withDeadline(committer.submit(asked, { endsAt }), {
        ms: withinMs,
        onTimeout: () => usageUnavailable(),
      });
      circuit.succeeded();
      return result;
    } catch (error) {
      if (!(error instanceof UsageUnavailable)) throw error;
      if (error.cause !== undefined) circuit.failed();
      throw usageUnavailable(error);
    }
  };
}

function refused(result: CommandResult): never {
  if (result.kind === 'refused') throw new ServiceError(result.code, result.detail);
  if (result.kind === 'failed') throw result.error;
  throw new Error('a command was answered as another kind');
}

/** The answer to an event. Throws what refuses it. */
export const eventAnswer = (result: CommandResult): UsageOut =>
  result.kind === 'event' ? result.answer : refused(result);

/** The answer to what is asked of a reservation. Throws what refuses it. */
export const reservationAnswer = (result: CommandResult): ReservationOut =>
  result.kind === 'reservation' ? result.answer : refused(result);

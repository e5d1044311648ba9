import { percentile } from '../measure/statistics.ts';

export type Latencies = {
  p50: number;
  p95: number;
  p99: number;
  max: number;
  count: number;
  failed: number;
  firstFailure?: string;
};

export function latenciesOf(values: readonly number[], failed = 0): Latencies {
  return {
    p50: percentile(values, 0.5),
    p95: percentile(values, 0.95),
    p99: percentile(values, 0.99),
    max: Math.max(...values),
    count: values.length,
    failed,
  };
}

/** Throws when a request failed, as the others would look faster than they are. */
export function failOnFailed({ failed, firstFailure = '' }: Latencies, what: string): void {
  if (failed > 0) throw new Error(`${failed} ${what} failed. The first: ${firstFailure}`);
}

type OpenLoop = {
  perSecond: number;
  seconds: number;
  /** One request; throws when it failed. `number` counts from 0; it is measured from `since`, of `performance.now()`. */
  request: (number: number, since: number) => Promise<void>;
};

/**
 * Sends requests at fixed moments, whether or not the earlier ones have been answered, and measures each from the
 * moment at which it was due: a pause of the server shows in every request of that time, and a late timer here can only
 * make it look slower. Timers are whole milliseconds, so that most fire a little early: those are measured from then.
 */
export async function openLoop({ perSecond, seconds, request }: OpenLoop): Promise<Latencies> {
  const total = Math.round(perSecond * seconds);
  const firstAt = performance.now() + 50;
  const latencies: number[] = [];
  const failures: string[] = [];
  const send = async (number: number): Promise<void> => {
    const dueAt = firstAt + (number * 1000) / perSecond;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAt - performance.now())));
    const since = Math.min(dueAt, performance.now());
    try {
      await request(number, since);
      latencies.push(performance.now() - since);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  };
  await Promise.all(Array.from({ length: total }, (_, number) => send(number)));
  const [firstFailure] = failures;
  return {
    ...latenciesOf(latencies, failures.length),
    ...(firstFailure === undefined ? {} : { firstFailure }),
  };
}

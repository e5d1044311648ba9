import type { ReadinessChecks } from '@billing/platform';
import { withDeadline } from '@billing/platform';
import type { Database } from '@billing/store';

const checkMs = 1_500;

/** What `/ready` says of the worker: whether Postgres answers and the queue is consumed. */
export async function checkReadiness(options: {
  database: Pick<Database, '$queryRaw'>;
  isConsuming: () => boolean;
  queueProblem: () => Promise<string | null>;
  isStopping: () => boolean;
}): Promise<ReadinessChecks> {
  const [database, problem] = await Promise.all([
    withDeadline(options.database.$queryRaw`SELECT 1`, {
      ms: checkMs,
      onTimeout: () => new Error('Postgres did not answer.'),
    }).then(
      () => 'ok',
      () => 'unreachable',
    ),
    options.isConsuming() ? options.queueProblem() : Promise.resolve('unreachable'),
  ]);
  return {
    database,
    redis: problem ?? 'ok',
    ...(options.isStopping() ? { process: 'shutting down' } : {}),
  };
}

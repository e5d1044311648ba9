import { randomUUID } from 'node:crypto';
import { beginImportRun, endRun, saveRun } from '@billing/store';
import type { Database } from '@billing/store';
import { importActor, totalOf } from '@billing/sync';
import type { ImportState } from '@billing/sync';

/** Well within the lease: a page may wait long for Stripe. */
const saveEveryMs = 5_000;

type ImportRun = { database: Database; projectId: string; state: ImportState };

/** What `GET /api/v1/admin/runs` shows of an import: kept up to date while `work` goes on, and ended with it. */
export async function recordImportRun(
  { database, projectId, state }: ImportRun,
  work: () => Promise<void>,
): Promise<void> {
  const workerId = `import_${randomUUID()}`;
  const { runId } = await beginImportRun(database, { projectId, workerId, requestedBy: importActor.name });
  const save = (): void => {
    const progress = { phase: state.phase, objects: state.done };
    // What is shown a little late is no reason to end the import.
    saveRun(database, { runId, workerId, state: progress, result: totalOf(state) }).catch(() => undefined);
  };
  const timer = setInterval(save, saveEveryMs);
  const end = (status: 'done' | 'failed', error?: string): Promise<void> =>
    endRun(database, {
      runId,
      workerId: null,
      status,
      result: totalOf(state),
      ...(error === undefined ? {} : { error }),
    });
  try {
    await work();
  } catch (error) {
    clearInterval(timer);
    await end('failed', error instanceof Error ? error.message : 'unknown').catch(() => undefined);
    throw error;
  }
  clearInterval(timer);
  await end('done');
}

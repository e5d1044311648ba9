import type { MaintenanceDeps } from '../deps.ts';

/** Puts a run into the queue; it may be there already. */
export async function enqueueRun(
  { maintenance }: Pick<MaintenanceDeps, 'maintenance'>,
  { id, kind }: { id: string; kind: string },
): Promise<void> {
  const name = kind === 'reconcile' ? 'reconcile' : 'replay';
  await maintenance.add({ name, jobId: id, data: { run_id: id } }, { deadlineMs: 5_000 });
}

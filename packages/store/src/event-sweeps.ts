import type { Instant } from '@billing/domain';
import type { Database } from './create-database.ts';
import type { EventSweep } from './generated/client.ts';

/** `mode`: live and test events have lists of their own. */
export type SweepKey = { mode: string; workerId: string };

/** Longer than one page takes at worst, and no longer than the others may wait after a worker died in the sweep. */
const leaseSeconds = 25;

/** Takes the sweep, so that one worker at a time reads Stripe's list. Null: another worker has it. */
export async function claimSweep(
  database: Database,
  { mode, workerId }: SweepKey,
): Promise<EventSweep | null> {
  const claimed = await database.$executeRaw`
    INSERT INTO public.event_sweeps AS stored (mode, locked_by, locked_until)
    VALUES (${mode}, ${workerId}, clock_timestamp() + make_interval(secs => ${leaseSeconds}))
    ON CONFLICT (mode) DO UPDATE SET locked_by = excluded.locked_by, locked_until = excluded.locked_until
    WHERE stored.locked_until IS NULL OR stored.locked_until < clock_timestamp() OR stored.locked_by = excluded.locked_by`;
  return claimed === 0 ? null : database.eventSweep.findUnique({ where: { mode } });
}

/** Saves how far the sweep got, and extends the lease. False: another worker has it by now. */
export async function saveSweep(
  database: Database,
  { mode, workerId, state }: SweepKey & { state: object },
): Promise<boolean> {
  const saved = await database.$executeRaw`
    UPDATE public.event_sweeps SET state = ${JSON.stringify(state)}::jsonb,
      locked_until = clock_timestamp() + make_interval(secs => ${leaseSeconds})
    WHERE mode = ${mode} AND locked_by = ${workerId}`;
  return saved > 0;
}

/** Ends the sweep: everything up to `sweptTo` (null: the list is empty) is in the ledger or queued. */
export async function finishSweep(
  database: Database,
  { mode, workerId, sweptTo }: SweepKey & { sweptTo: Instant | null },
): Promise<void> {
  const reached = sweptTo === null ? null : new Date(sweptTo);
  await database.$executeRaw`
    UPDATE public.event_sweeps SET state = '{}', swept_to = greatest(swept_to, ${reached}::timestamptz),
      succeeded_at = clock_timestamp(), locked_by = NULL, locked_until = NULL
    WHERE mode = ${mode} AND locked_by = ${workerId}`;
}

/** Releases a sweep that has to wait; how far it got stays saved. */
export async function releaseSweep(database: Database, { mode, workerId }: SweepKey): Promise<void> {
  await database.$executeRaw`
    UPDATE public.event_sweeps SET locked_by = NULL, locked_until = NULL WHERE mode = ${mode} AND locked_by = ${workerId}`;
}

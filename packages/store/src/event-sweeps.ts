import { toTimestamp } from '@billing/domain';
import type { Instant } from '@billing/domain';
import { writeAudit } from './audit.ts';
import type { Database } from './create-database.ts';
import type { EventSweep } from './generated/client.ts';

export type { EventSweep } from './generated/client.ts';

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

/**
 * Notes which Redis holds the queue. Where it is another one than was noted last, `onChange` runs before that: when it
 * throws, the next call tries again.
 */
export async function noteQueueServer(
  database: Database,
  { mode, server }: { mode: string; server: string },
  onChange: () => Promise<void>,
): Promise<void> {
  const known = await database.eventSweep.findUnique({ where: { mode }, select: { queueServer: true } });
  if (known?.queueServer === server) return;
  if (known !== null && known.queueServer !== null) await onChange();
  await database.$executeRaw`
    INSERT INTO public.event_sweeps (mode, queue_server) VALUES (${mode}, ${server})
    ON CONFLICT (mode) DO UPDATE SET queue_server = excluded.queue_server`;
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

type Unseen = { from: Instant; to: Instant };

/**
 * Keeps the time whose events Stripe no longer lists and no sweep read, until a reconcile covers it. `isNew`: nothing was
 * kept before; the audit log has it then, too.
 */
export async function noteUnseenEvents(
  database: Database,
  { mode, from, to }: Unseen & { mode: string },
): Promise<{ isNew: boolean }> {
  return database.$transaction(async (tx) => {
    const [known] = await tx.$queryRaw<{ is_new: boolean; is_covered: boolean }[]>`
      SELECT unseen_from IS NULL AS is_new,
        coalesce(reconciled_at > to_timestamp(${from}::bigint / 1000.0), false) AS is_covered
      FROM public.event_sweeps WHERE mode = ${mode} FOR UPDATE`;
    // A reconcile ended since the sweep read its row: the next sweep counts from there.
    if (known?.is_covered === true) return { isNew: false };
    await tx.$executeRaw`
      UPDATE public.event_sweeps SET
        unseen_from = least(unseen_from, to_timestamp(${from}::bigint / 1000.0)),
        unseen_to = greatest(unseen_to, to_timestamp(${to}::bigint / 1000.0))
      WHERE mode = ${mode}`;
    const isNew = known?.is_new === true;
    if (isNew)
      await writeAudit(tx, {
        actor: { name: 'sweep', requestId: null },
        action: 'events.not_seen',
        projectId: null,
        target: { type: 'event_sweep', id: mode },
        details: {
          from: toTimestamp(from),
          to: toTimestamp(to),
          gap_seconds: Math.round((to - from) / 1000),
        },
      });
    return { isNew };
  });
}

/** The time whose events were not seen; null: none. */
export async function readUnseenEvents(database: Database, mode: string): Promise<Unseen | null> {
  const sweep = await database.eventSweep.findUnique({ where: { mode } });
  if (sweep === null || sweep.unseenFrom === null || sweep.unseenTo === null) return null;
  return { from: sweep.unseenFrom.getTime(), to: sweep.unseenTo.getTime() };
}

/** After a reconcile, requested `at`, of everything `since`: what events told until then is known. */
export async function clearUnseenEvents(
  database: Database,
  { mode, since, at }: { mode: string; since: Instant; at: Instant },
): Promise<void> {
  await database.$executeRaw`
    UPDATE public.event_sweeps SET unseen_from = NULL, unseen_to = NULL,
      reconciled_at = to_timestamp(${at}::bigint / 1000.0)
    WHERE mode = ${mode} AND unseen_from >= to_timestamp(${since}::bigint / 1000.0)`;
}

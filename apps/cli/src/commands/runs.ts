import { setTimeout as sleep } from 'node:timers/promises';
import { replayEventResponse, runAccepted, runList, runOut } from '@billing/domain';
import type { RunOut } from '@billing/domain';
import type { Command } from 'commander';
import { path } from './admin-client.ts';
import { CliError } from './cli-error.ts';
import { confirm, given, globalsOf, list, moment, pageable } from './context.ts';
import type { Context } from './context.ts';
import { renderFields, tableIfAny } from './table.ts';
import type { Cell } from './table.ts';

const pollMs = 1_000;

type Reconcile = { project?: string; since?: string; apply?: boolean; wait: boolean };

type Replay = {
  object?: string;
  from?: string;
  to?: string;
  reason?: string;
  apply?: boolean;
  wait: boolean;
};

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));

export const changeRows = (changes: readonly { path: string; before?: unknown; after?: unknown }[]) =>
  changes.map((one) => [one.path, text(one.before), text(one.after)] as const);

/** Waits for a run of the worker, which may take minutes, and prints it; without `wait` prints how far it is. */
async function follow(context: Context, command: Command, { runId, wait }: { runId: string; wait: boolean }) {
  const read = (): Promise<RunOut> => context.call(runOut, { path: path`/admin/runs/${runId}` });
  let run = await read();
  let shown = '';
  while (run.status === 'running') {
    if (!wait) break;
    const { phase, objects } = run.progress;
    const now = `${runId}: ${phase}, ${objects} looked at${run.error === null ? '' : ` (${run.error})`}`;
    if (now !== shown) context.say(now);
    shown = now;
    await sleep(pollMs);
    run = await read();
  }
  context.print(globalsOf(command).json ? JSON.stringify(run) : render(run));
  if (run.status === 'failed')
    throw new CliError('refused', `The run failed: ${run.error ?? 'no reason is known'}`);
}

function render(run: RunOut): string {
  const { result } = run;
  const numbers: Record<string, Cell> = Object.fromEntries(
    Object.entries(result ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
  const about = renderFields({
    run: run.run_id,
    kind: run.kind,
    status: run.status,
    'dry run': run.dry_run,
    ...(run.status === 'running' ? { 'looked at': run.progress.objects } : {}),
    ...numbers,
    ...(result !== null && 'looked_back_to' in result ? { 'looked back to': result.looked_back_to } : {}),
  });
  const drift = result !== null && 'drift' in result ? result.drift : [];
  const changes = result !== null && 'changes' in result ? result.changes : [];
  const isTruncated =
    result !== null &&
    (('drift_truncated' in result && result.drift_truncated) ||
      ('changes_truncated' in result && result.changes_truncated));
  const driftRows = drift.map((one) => [one.kind, one.object_id, text(one.before), text(one.after)]);
  return [
    about,
    ...tableIfAny(['differs', 'object', 'here', 'in stripe'], driftRows),
    ...tableIfAny(['field', 'before', 'after'], changeRows(changes)),
    ...(isTruncated ? ['More differ than are listed.'] : []),
  ].join('\n\n');
}

type Start = { path: string; body: object; wait: boolean };

/** Starts a run and follows it. */
export async function startRun(context: Context, command: Command, { path: where, body, wait }: Start) {
  const { run_id: runId } = await context.call(runAccepted, { method: 'POST', path: where, body });
  await follow(context, command, { runId, wait });
}

export function addRuns(program: Command, context: Context): void {
  program
    .command('reconcile')
    .description('Compare what is stored with Stripe; a dry run unless --apply')
    .option('--project <project>', 'only users of this project')
    .option('--since <when>', 'payments and sessions from here on; else of the last 30 days', moment)
    .option('--apply', 'repair what differs')
    .option('--no-wait', 'print the run and leave it to the worker')
    .action(async (options: Reconcile, command: Command) => {
      const { project, since, apply = false, wait } = options;
      if (apply) await confirm(context, command, 'What differs will be made as Stripe has it.');
      const body = { dry_run: !apply, ...given({ project_id: project, since }) };
      await startRun(context, command, { path: '/admin/reconcile', body, wait });
    });
  pageable(program.command('runs [run_id]'))
    .description('How far a run is: reconcile, replay, import and others; without an id, all of them')
    .option('--wait', 'until it is done')
    .action((runId: string | undefined, { wait = false }: { wait?: boolean }, command: Command) =>
      runId === undefined ? listRuns(context, command) : follow(context, command, { runId, wait }),
    );
  program
    .command('replay [event_id]')
    .description('Apply a recorded event again, or many; a dry run unless --apply')
    .option('--object <id>', 'all events of one object')
    .option('--from <when>', 'events created from here on', moment)
    .option('--to <when>', 'events created before', moment)
    .option('--reason <text>', 'kept in the audit log')
    .option('--apply', 'write what comes out')
    .option('--no-wait', 'print the run and leave it to the worker')
    .action((eventId: string | undefined, options: Replay, command: Command) =>
      replay(context, command, { eventId, options }),
    );
}

const listRuns = (context: Context, command: Command): Promise<void> =>
  list(context, command, {
    schema: runList,
    call: { path: '/admin/runs' },
    headings: ['run', 'kind', 'status', 'dry run', 'project', 'looked at', 'by', 'since'],
    row: (run) => [
      run.run_id,
      run.kind,
      run.status,
      run.dry_run,
      run.project_id,
      run.progress.objects,
      run.requested_by,
      run.created_at,
    ],
    empty: 'There is no run.',
  });

async function replay(
  context: Context,
  command: Command,
  { eventId, options }: { eventId: string | undefined; options: Replay },
): Promise<void> {
  const { object, from, to, reason, apply = false, wait } = options;
  const filter = given({ object_id: object, from, to });
  const isFiltered = Object.keys(filter).length > 0;
  if (eventId === undefined && !isFiltered)
    throw new CliError('usage', 'Name an event, or give --object, --from or --to.');
  if (eventId !== undefined && isFiltered)
    throw new CliError('usage', 'Give either one event, or --object, --from and --to.');
  const dryRun = !apply;
  if (apply) await confirm(context, command, 'The events will be applied again.');
  if (eventId !== undefined) return replayOne(context, command, { eventId, dryRun, reason });
  const body = { dry_run: dryRun, ...filter, ...given({ reason }) };
  return startRun(context, command, { path: '/admin/events/replay', body, wait });
}

async function replayOne(
  context: Context,
  command: Command,
  { eventId, dryRun, reason }: { eventId: string; dryRun: boolean; reason: string | undefined },
): Promise<void> {
  const call = {
    method: 'POST' as const,
    path: path`/admin/events/${eventId}/replay`,
    body: { dry_run: dryRun, ...given({ reason }) },
  };
  const answer = await context.call(replayEventResponse, call);
  if (globalsOf(command).json) return context.print(JSON.stringify(answer));
  const about = renderFields({
    event: answer.event_id,
    'dry run': answer.dry_run,
    outcome: answer.outcome,
    reason: answer.reason,
    changes: answer.changes.length,
  });
  const changes = tableIfAny(['field', 'before', 'after'], changeRows(answer.changes));
  context.print([about, ...changes].join('\n\n'));
}

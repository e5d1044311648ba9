import { adminNameList, overviewOut, sampleList, sessionList } from '@billing/domain';
import type { OverviewOut, SampleOut } from '@billing/domain';
import type { Command } from 'commander';
import { z } from 'zod';
import { path } from './admin-client.ts';
import { callAndShow, confirm, dryRunOption, globalsOf, list, moment, pageable, queryOf } from './context.ts';
import type { Context, Filter } from './context.ts';
import { renderFields, renderTable, tableIfAny } from './table.ts';
import type { Cell } from './table.ts';

/** `sessions list` and `sessions revoke`: who is signed in to the console. */
export function addSessions(program: Command, context: Context): void {
  const sessions = program.command('sessions').description('Who is signed in to the console');
  pageable(sessions.command('list').description('Sessions that have not ended, newest first')).action(
    (_options: object, command: Command) =>
      list(context, command, {
        schema: sessionList,
        call: { path: '/admin/sessions' },
        headings: ['session', 'name', 'since', 'last used', 'ends at the latest'],
        row: (one) => [one.session_id, one.name, one.created_at, one.last_used_at, one.expires_at],
        empty: 'Nobody is signed in.',
      }),
  );
  sessions
    .command('revoke <session_id>')
    .description("End somebody's session at once")
    .option(...dryRunOption)
    .action(async (sessionId: string, ...[, command]: [object, Command]) => {
      await confirm(context, command, `Whoever uses the session ${sessionId} must sign in again.`);
      const schema = z.undefined().transform(() => ({ session_id: sessionId, revoked: true }));
      const fields = () => ({ session: sessionId, revoked: true });
      const call = { method: 'DELETE', path: path`/admin/sessions/${sessionId}` } as const;
      await callAndShow(context, command, { ...call, schema, fields });
    });
}

/** `names`: who may sign in, and use the admin API. */
export function addNames(program: Command, context: Context): void {
  program
    .command('names')
    .description('The names of ADMIN_API_KEY')
    .action(async (_options: object, command: Command) => {
      const names = await context.call(adminNameList, { path: '/admin/names' });
      if (globalsOf(command).json) return context.print(JSON.stringify(names));
      const rows = names.data.map((one) => [one.name, one.role, one.project_id ?? 'all projects']);
      context.print(renderTable(['name', 'role', 'of'], rows));
    });
}

const queueHeadings = ['queue', 'waiting', 'active', 'delayed', 'failed', 'oldest (s)'];

const many = (count: number | null): Cell => count ?? 'more than 10,000';

function overviewText(overview: OverviewOut): string {
  const { processes, queues, events, stripe_reads: reads, last_sweep: sweep, drift, webhooks } = overview;
  const fields = renderFields({
    'API processes': processes.api,
    workers: processes.worker,
    'events failed': many(events.failed),
    'events quarantined': many(events.quarantined),
    'reads from Stripe': reads && `${reads.allowed_per_second} of ${reads.per_second} a second`,
    'last sweep': sweep.succeeded_at,
    'last reconcile':
      drift && `${drift.finished_at}, ${drift.differences} difference${drift.differences === 1 ? '' : 's'}`,
    'webhook endpoints': `${webhooks.endpoints_enabled} enabled, ${webhooks.endpoints_disabled} disabled`,
    'deliveries due': webhooks.deliveries_due,
  });
  const rows = (queues ?? []).map((one): Cell[] => [
    one.name,
    one.waiting,
    one.active,
    one.delayed,
    one.failed,
    one.oldest_seconds,
  ]);
  const conditions = overview.conditions.map((one) => [one.severity, one.code, one.words]);
  const what = conditions.length === 0 ? ['Nothing needs anybody.'] : [];
  return [
    fields,
    ...tableIfAny(queueHeadings, rows),
    ...what,
    ...tableIfAny(['how urgent', 'what', 'in words'], conditions),
  ].join('\n\n');
}

/** `overview`: how it stands, and what needs somebody. */
export function addOverview(program: Command, context: Context): void {
  program
    .command('overview')
    .description('How it stands, and what needs somebody')
    .action(async (_options: object, command: Command) => {
      const overview = await context.call(overviewOut, { path: '/admin/overview' });
      context.print(globalsOf(command).json ? JSON.stringify(overview) : overviewText(overview));
    });
}

function sampleRow({ at, queues, events }: SampleOut): Cell[] {
  const sumOf = (field: 'waiting' | 'active'): number => queues.reduce((sum, one) => sum + one[field], 0);
  const oldest = Math.max(0, ...queues.map((one) => one.oldest_seconds));
  const counts = [events.applied, events.stale, events.ignored, events.quarantined, events.failed];
  return [
    at,
    ...(queues.length === 0 ? [null, null, null] : [sumOf('waiting'), sumOf('active'), oldest]),
    ...counts,
  ];
}

/** `samples`: the queues and the events, over time. */
export function addSamples(program: Command, context: Context): void {
  program
    .command('samples')
    .description('The queues and the events, over time; kept for 48 hours')
    .option('--from <when>', 'date or timestamp (default: an hour before --to)', moment)
    .option('--to <when>', 'date or timestamp (default: now)', moment)
    .action(async ({ from, to }: Filter, command: Command) => {
      const samples = await context.call(sampleList, {
        path: '/admin/samples',
        query: queryOf({ from, to }),
      });
      if (globalsOf(command).json) return context.print(JSON.stringify(samples));
      const outcomes = ['applied', 'stale', 'ignored', 'quarantined', 'failed'];
      const headings = ['until', 'waiting', 'active', 'oldest (s)', ...outcomes];
      const { data } = samples;
      context.print(
        data.length === 0 ? 'No sample is of that time.' : renderTable(headings, data.map(sampleRow)),
      );
      context.say(`Each line stands for ${samples.step_seconds} s.`);
    });
}

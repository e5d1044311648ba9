import { checkOut, topUsersOut, usageEventList, usageRefusalList, usageSeriesOut } from '@billing/domain';
import type { CheckOut, UsageEventOut } from '@billing/domain';
import { Option } from 'commander';
import type { Command } from 'commander';
import { path } from './admin-client.ts';
import { globalsOf, list, moment, pageable, queryOf, wholeNumber } from './context.ts';
import type { Context, Filter } from './context.ts';
import { renderFields, renderTable, tableIfAny } from './table.ts';

/** What is counted; null: without limit. */
const much = (amount: number | null): string => (amount === null ? 'unlimited' : `${amount}`);

const checkFields = ({ balance, ...one }: CheckOut) => ({
  user: one.user_id,
  feature: one.feature_code,
  kind: one.kind,
  allowed: one.allowed,
  why: one.reason,
  needed: one.required,
  ...(one.kind === 'limit' ? { limit: much(one.limit), value: JSON.stringify(one.value ?? null) } : {}),
  ...(balance === null
    ? {}
    : {
        granted: much(balance.granted),
        used: balance.used,
        held: balance.held,
        remaining: much(balance.remaining),
        overage: balance.overage,
        'overage allowed': much(balance.overage_limit),
        'begins anew': balance.resets_at ?? 'never',
      }),
  'changes by itself': one.valid_until ?? 'never',
});

const renderCheck = (check: CheckOut): string =>
  [
    renderFields(checkFields(check)),
    ...tableIfAny(
      ['by', 'id', 'from', 'until', 'granted', 'rolled over', 'used', 'held', 'remaining'],
      (check.balance?.buckets ?? []).map((one) => [
        one.source,
        one.source_id,
        one.period_start,
        one.period_end ?? 'no end',
        much(one.granted),
        one.rolled_over,
        one.used,
        one.held,
        much(one.remaining),
      ]),
    ),
  ].join('\n\n');

function addCheck(usage: Command, context: Context): void {
  usage
    .command('check <project> <user> <feature>')
    .description('Whether the user may use so much now, and what is left in which bucket')
    .option('--required <n>', 'how much is needed (default: 1)', wholeNumber)
    .action(async (project: string, user: string, feature: string, ...rest: [Needed, Command]) => {
      const [{ required }, command] = rest;
      const check = await context.call(checkOut, {
        path: path`/admin/projects/${project}/usage/check`,
        query: { user_id: user, feature_code: feature, required },
      });
      context.print(globalsOf(command).json ? JSON.stringify(check) : renderCheck(check));
    });
}
type Needed = { required?: number };

function addSeries(usage: Command, context: Context): void {
  usage
    .command('series <project> <user> <feature>')
    .description('What was used, by hours, days or months of the time zone of the project')
    .addOption(new Option('--by <unit>', 'default: day').choices(['hour', 'day', 'month']))
    .option('--from <when>', 'date or timestamp', moment)
    .option('--to <when>', 'date or timestamp (exclusive)', moment)
    .action(async (project: string, user: string, feature: string, ...rest: [Filter, Command]) => {
      const [{ by, from, to }, command] = rest;
      const series = await context.call(usageSeriesOut, {
        path: path`/admin/projects/${project}/usage`,
        query: { user_id: user, feature_code: feature, by, from, to },
      });
      if (globalsOf(command).json) return context.print(JSON.stringify(series));
      const rows = series.data.map(({ start, quantity }) => [start, quantity]);
      context.print(rows.length === 0 ? nothingUsed : renderTable(['from', 'used'], rows));
    });
}

const nothingUsed = 'Nothing was used. Check the ids (they are compared byte by byte), and the time.';

type Part = UsageEventOut['parts'][number];
const partText = (part: Part): string => `${part.quantity} of ${part.source} ${part.source_id}`;

function addUsageEvents(usage: Command, context: Context): void {
  pageable(
    usage
      .command('events <project> <user> <feature>')
      .description('Each event with the buckets that it took from, newest first'),
  ).action((project: string, user: string, feature: string, ...rest: [object, Command]) =>
    list(context, rest[1], {
      schema: usageEventList,
      call: {
        path: path`/admin/projects/${project}/usage/events`,
        query: { user_id: user, feature_code: feature },
      },
      headings: [
        'event',
        'kind',
        'mode',
        'quantity',
        'happened',
        'recorded',
        'given back',
        'why',
        'taken from',
      ],
      row: (one) => [
        one.event_id,
        one.kind,
        one.mode,
        one.quantity,
        one.timestamp,
        one.recorded_at,
        one.corrected,
        one.reason,
        one.parts.map(partText),
      ],
      empty: nothingUsed,
    }),
  );
}

function addTop(usage: Command, context: Context): void {
  usage
    .command('top <project> <feature>')
    .description('Who used most; by default in the last 24 hours')
    .option('--from <when>', 'date or timestamp', moment)
    .option('--to <when>', 'date or timestamp (exclusive)', moment)
    .option('--limit <n>', 'how many users, 1 to 100 (default: 10)', wholeNumber)
    .action(async (project: string, feature: string, ...rest: [Top, Command]) => {
      const [{ from, to, limit }, command] = rest;
      const top = await context.call(topUsersOut, {
        path: path`/admin/projects/${project}/usage/top-users`,
        query: { feature_code: feature, from, to, limit },
      });
      if (globalsOf(command).json) return context.print(JSON.stringify(top));
      const rows = top.data.map((one) => [one.user_id, one.quantity, one.overage]);
      context.print(rows.length === 0 ? nothingUsed : renderTable(['user', 'used', 'overage'], rows));
      context.say(`${top.users} users used ${top.quantity} from ${top.from} to ${top.to}.`);
    });
}
type Top = { from?: string; to?: string; limit?: number };

function addRefusals(usage: Command, context: Context): void {
  pageable(
    usage
      .command('refusals')
      .description('Usage that was queued while the database was away, and refused later: it is not counted'),
  )
    .option('--project <project>', 'of one project')
    .action(({ project }: Filter, command: Command) =>
      list(context, command, {
        schema: usageRefusalList,
        call: { path: '/admin/usage/refusals', query: queryOf({ project_id: project }) },
        headings: ['event', 'project', 'user', 'feature', 'refused', 'code', 'why'],
        row: (one) => [
          one.event_id,
          one.project_id,
          one.user_id,
          one.feature_code,
          one.refused_at,
          one.code,
          one.detail,
        ],
        empty: 'No queued usage was refused.',
      }),
    );
}

/** What an operator asks about a user's usage. */
export function addUsageReads(usage: Command, context: Context): void {
  addCheck(usage, context);
  addSeries(usage, context);
  addUsageEvents(usage, context);
  addTop(usage, context);
  addRefusals(usage, context);
}

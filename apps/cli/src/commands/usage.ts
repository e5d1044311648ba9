import { meterReportList, meterReportStates } from '@billing/domain';
import { Option } from 'commander';
import type { Command } from 'commander';
import { list, pageable, queryOf } from './context.ts';
import type { Context, Filter } from './context.ts';

export function addUsage(program: Command, context: Context): void {
  const usage = program.command('usage').description('Usage of limits and metered features');
  pageable(
    usage
      .command('meters')
      .description('Usage that a meter of Stripe was not told of: what waits, and what is too late'),
  )
    .option('--project <project>', 'of one project')
    .addOption(new Option('--state <state>').choices(meterReportStates))
    .action(({ project, state }: Filter, command: Command) =>
      list(context, command, {
        schema: meterReportList,
        call: { path: '/admin/usage/meter-reports', query: queryOf({ project_id: project, state }) },
        headings: [
          'hour',
          'project',
          'user',
          'feature',
          'state',
          'quantity',
          'meter',
          'customer',
          'since',
          'problem',
        ],
        row: (one) => [
          one.hour,
          one.project_id,
          one.user_id,
          one.feature_code,
          one.state,
          one.quantity,
          one.event_name,
          one.stripe_customer_id,
          one.since,
          one.problem,
        ],
        empty: 'Stripe was told of all usage.',
      }),
    );
}

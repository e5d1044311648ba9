import { meterReportList, meterReportStates, usageOut } from '@billing/domain';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { callAndShow, dryRunOption, given, list, pageable, queryOf } from './context.ts';
import type { Context, Filter } from './context.ts';
import { addUsageReads } from './usage-reads.ts';

/** Signed: `-100` gives back. */
function quantity(text: string): number {
  if (!/^[+-]?\d{1,13}$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError('Give a whole number that is not 0: 100 is used, -100 gives back.');
  return Number(text);
}

type Adjustment = { quantity: number; reason: string; eventId?: string };

function addAdjust(usage: Command, context: Context): void {
  usage
    .command('adjust <project> <user> <feature>')
    .description('Change what a user has used')
    .requiredOption('--quantity <n>', 'positive is used, negative gives back', quantity)
    .requiredOption('--reason <text>', 'kept in the audit log')
    .option('--event-id <id>', 'makes the command repeatable')
    .option(...dryRunOption)
    .action(async (project: string, user: string, feature: string, ...rest: [Adjustment, Command]) => {
      const [options, command] = rest;
      await callAndShow(context, command, {
        method: 'POST',
        path: '/admin/usage/adjust',
        body: given({
          project_id: project,
          user_id: user,
          feature_code: feature,
          quantity: options.quantity,
          reason: options.reason,
          event_id: options.eventId,
        }),
        schema: usageOut,
        fields: ({ balance, ...one }) => ({
          event: one.event_id,
          recorded: one.recorded,
          quantity: one.quantity,
          used: balance?.used ?? 'nothing',
          remaining: balance === null ? 'nothing' : (balance.remaining ?? 'unlimited'),
        }),
      });
    });
}

function addMeters(usage: Command, context: Context): void {
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

export function addUsage(program: Command, context: Context): void {
  const usage = program.command('usage').description('What users have used of limits and metered features');
  addUsageReads(usage, context);
  addAdjust(usage, context);
  addMeters(usage, context);
}

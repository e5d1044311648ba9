import { usageOut } from '@billing/domain';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { callAndShow, dryRunOption, given } from './context.ts';
import type { Context } from './context.ts';

/** Signed: `-100` gives back. */
function quantity(text: string): number {
  if (!/^[+-]?\d{1,13}$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError('Give a whole number that is not 0: 100 is used, -100 gives back.');
  return Number(text);
}

type Adjustment = { quantity: number; reason: string; eventId?: string };

export function addUsage(program: Command, context: Context): void {
  const usage = program.command('usage').description('What users have used of metered features and limits');
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

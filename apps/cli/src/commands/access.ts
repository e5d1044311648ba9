import { customerOut, grantResponse, revokeResponse } from '@billing/domain';
import type { Command } from 'commander';
import { path } from './admin-client.ts';
import { callAndShow, confirm, dryRunOption, given, moment, wholeNumber } from './context.ts';
import type { Context } from './context.ts';
import { addMove } from './owners.ts';

export function addCustomers(program: Command, context: Context): void {
  const customers = program.command('customers').description('Which user a Stripe customer is');
  addMove(customers, context);
  customers
    .command('map <project> <user> <stripe_customer>')
    .description('Map a Stripe customer to a user, and release what was quarantined for it')
    .option(...dryRunOption)
    .action(async (project: string, user: string, customer: string, ...rest: [object, Command]) => {
      const [, command] = rest;
      await confirm(context, command, `${customer} will be ${user} of ${project}, for good.`);
      await callAndShow(context, command, {
        method: 'POST',
        path: path`/admin/projects/${project}/customers`,
        body: { user_id: user, stripe_customer_id: customer },
        schema: customerOut,
        fields: ({ healed: released, ...one }) => ({
          customer: one.stripe_customer_id,
          user: one.user_id,
          project: one.project_id,
          'subscriptions given': released.subscriptions,
          'purchases given': released.purchases,
          'events released': released.events,
        }),
      });
    });
}

type GrantOptions = { reason: string; from?: string; to?: string; amount?: number | 'unlimited' };

const amountOf = (text: string): number | 'unlimited' => (text === 'unlimited' ? text : wholeNumber(text));

export function addGrants(program: Command, context: Context): void {
  program
    .command('grant <project> <user> <feature>')
    .description('Give a user a feature by hand')
    .option(...dryRunOption)
    .requiredOption('--reason <text>', 'kept with the grant and in the audit log')
    .option('--amount <n>', 'of a limit or metered feature: how much, or unlimited', amountOf)
    .option('--from <when>', 'date or timestamp (default: now)', moment)
    .option('--to <when>', 'date or timestamp (default: for ever)', moment)
    .action(async (project: string, user: string, feature: string, ...rest: [GrantOptions, Command]) => {
      const [{ reason, from, to, amount }, command] = rest;
      const required = { project_id: project, user_id: user, feature_code: feature, reason };
      const body = {
        ...required,
        ...given({
          valid_from: from,
          valid_to: to,
          amount: amount === 'unlimited' ? null : amount,
        }),
      };
      await callAndShow(context, command, {
        method: 'POST',
        path: '/admin/grant',
        body,
        schema: grantResponse,
        fields: (grant) => ({
          grant: grant.grant_id,
          user: grant.user_id,
          feature: grant.feature_code,
          ...(grant.amount === undefined ? {} : { amount: grant.amount ?? 'unlimited' }),
          from: grant.valid_from,
          to: grant.valid_to ?? 'for ever',
        }),
      });
    });
  program
    .command('revoke <grant_id>')
    .description('Take a grant back, at once; `explain` names the grants of a user')
    .option(...dryRunOption)
    .requiredOption('--reason <text>', 'kept with the grant and in the audit log')
    .action(async (grantId: string, { reason }: { reason: string }, command: Command) => {
      await confirm(context, command, `The grant ${grantId} will end now, for good.`);
      await callAndShow(context, command, {
        method: 'POST',
        path: '/admin/revoke',
        body: { grant_id: grantId, revoke_reason: reason },
        schema: revokeResponse,
        fields: (one) => ({ grant: one.grant_id, revoked: one.revoked_at }),
      });
    });
}

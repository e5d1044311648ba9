import { assignedOut, movedCustomerOut } from '@billing/domain';
import type { Command } from 'commander';
import { path } from './admin-client.ts';
import { CliError } from './cli-error.ts';
import { callAndShow, confirm, dryRunOption, given } from './context.ts';
import type { Context } from './context.ts';

type Options = { reason: string };

/** `customers move`, below the command that has the other ones. */
export function addMove(customers: Command, context: Context): void {
  customers
    .command('move <project> <user> <stripe_customer>')
    .description('Give a Stripe customer, and what it has, to another user')
    .requiredOption('--reason <text>', 'kept in the audit log')
    .option(...dryRunOption)
    .action(async (project: string, user: string, customer: string, ...rest: [Options, Command]) => {
      const [options, command] = rest;
      await confirm(context, command, `${customer}, and what it has, will be ${user}'s in ${project}.`);
      await callAndShow(context, command, {
        method: 'PATCH',
        path: path`/admin/projects/${project}/customers/${customer}`,
        body: { user_id: user, reason: options.reason },
        schema: movedCustomerOut,
        fields: ({ healed, ...one }) => ({
          customer: one.stripe_customer_id,
          user: one.user_id,
          before: one.previous_user_id ?? 'nobody',
          project: one.project_id,
          'subscriptions given': healed.subscriptions,
          'purchases given': healed.purchases,
          'events released': healed.events,
        }),
      });
    });
}

type Named = { subscription?: string; payment?: string; session?: string };

export function addAssign(program: Command, context: Context): void {
  program
    .command('assign <project> <user>')
    .description('Give one subscription or payment to a user, whatever it and its customer say')
    .option('--subscription <id>')
    .option('--payment <id>', 'a PaymentIntent')
    .option('--session <id>', 'a Checkout session: what it sold')
    .requiredOption('--reason <text>', 'kept in the audit log')
    .option(...dryRunOption)
    .action(async (project: string, user: string, ...rest: [Named & Options, Command]) => {
      const [options, command] = rest;
      const { subscription, payment, session } = options;
      const named = given({
        subscription_id: subscription,
        payment_intent_id: payment,
        session_id: session,
      });
      const [id, ...more] = [subscription, payment, session].filter((one) => one !== undefined);
      if (id === undefined || more.length > 0)
        throw new CliError('usage', 'Give one of --subscription, --payment, --session.');
      await confirm(context, command, `${id} will be ${user}'s in ${project}.`);
      await callAndShow(context, command, {
        method: 'POST',
        path: '/admin/assign',
        body: { ...named, project_id: project, user_id: user, reason: options.reason },
        schema: assignedOut,
        fields: (one) => ({
          [one.source]: one.source_id,
          user: one.user_id,
          before: one.previous_user_id ?? 'nobody',
          project: one.project_id,
          'events released': one.released_events,
        }),
      });
    });
}

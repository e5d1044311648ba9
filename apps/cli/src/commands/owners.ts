import { assignedOut, dryRunOut, movedCustomerOut } from '@billing/domain';
import type { DryRunOut } from '@billing/domain';
import type { Command } from 'commander';
import { z } from 'zod';
import { path } from './admin-client.ts';
import type { Call } from './admin-client.ts';
import { CliError } from './cli-error.ts';
import { callAndShow, confirm, given } from './context.ts';
import type { Context } from './context.ts';
import type { Cell } from './table.ts';

type Options = { reason: string; dryRun?: boolean };

type Change<T> = Call & {
  options: Options;
  /** What is asked before it is done. */
  warning: string;
  body: Record<string, unknown>;
  schema: z.ZodType<T>;
  fields: (answer: T) => Readonly<Record<string, Cell>>;
};

/** The text of a value; a user who is absent is nobody. */
const nameOf = (value: unknown): string => z.string().catch('nobody').parse(value);

const triedFields = ({ changes, affected_users: users }: DryRunOut): Record<string, Cell> => ({
  ...Object.fromEntries(changes.map((one) => [one.path, `${nameOf(one.before)} → ${nameOf(one.after)}`])),
  'users concerned': users ?? 'more than 10,000',
});

/** Makes the change, or with `--dry-run` shows what it would do. */
async function change<T>(context: Context, command: Command, wanted: Change<T>): Promise<void> {
  const { options, warning, body: fields, schema, fields: show, ...call } = wanted;
  const body = { ...fields, reason: options.reason };
  if (options.dryRun === true) {
    const tried = { ...call, body: { ...body, dry_run: true }, schema: dryRunOut, fields: triedFields };
    return callAndShow(context, command, tried);
  }
  await confirm(context, command, warning);
  await callAndShow(context, command, { ...call, body, schema, fields: show });
}

/** `customers move`, below the command that has the other ones. */
export function addMove(customers: Command, context: Context): void {
  customers
    .command('move <project> <user> <stripe_customer>')
    .description('Give a Stripe customer, and what it has, to another user')
    .requiredOption('--reason <text>', 'kept in the audit log')
    .option('--dry-run', 'shows what would change')
    .action(async (project: string, user: string, customer: string, ...rest: [Options, Command]) => {
      const [options, command] = rest;
      await change(context, command, {
        options,
        warning: `${customer}, and what it has, will be ${user}'s in ${project}.`,
        method: 'PATCH',
        path: path`/admin/projects/${project}/customers/${customer}`,
        body: { user_id: user },
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
    .option('--dry-run', 'shows what would change')
    .action(async (project: string, user: string, ...rest: [Named & Options, Command]) => {
      const [options, command] = rest;
      const { subscription, payment, session } = options;
      const named = given({
        subscription_id: subscription,
        payment_intent_id: payment,
        session_id: session,
      });
      const [id, ...more] = Object.values(named);
      if (id === undefined || more.length > 0)
        throw new CliError('usage', 'Give one of --subscription, --payment, --session.');
      await change(context, command, {
        options,
        warning: `${nameOf(id)} will be ${user}'s in ${project}.`,
        method: 'POST',
        path: '/admin/assign',
        body: { ...named, project_id: project, user_id: user },
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

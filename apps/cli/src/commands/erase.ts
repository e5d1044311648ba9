import { dryRunOut, exportResponse } from '@billing/domain';
import { ConfigError } from '@billing/platform';
import type { Command } from 'commander';
import { CliError } from './cli-error.ts';
import { confirm, globalsOf } from './context.ts';
import type { Context } from './context.ts';
import { changeRows, startRun } from './runs.ts';
import { renderFields, tableIfAny } from './table.ts';

type EraseOptions = { reason?: string; stripe?: boolean; dryRun?: boolean; again?: boolean; wait: boolean };

const help = `
--again reads DATABASE_URL, REDIS_URL, STRIPE_SECRET_KEY and ERASURE_KEY, as the service has them; without DATABASE_URL it
works on the stack that \`npm start\` runs. The worker does the rest.`;

export function addErase(program: Command, context: Context): void {
  program
    .command('erase [project] [user]')
    .description('Erase a user for good; --again: all again whom a restore brought back')
    .option('--reason <text>', 'who asked for it; erased with the rest in the end')
    .option('--stripe', 'delete the customers at Stripe, too')
    .option('--dry-run', 'say what would go, and change nothing')
    .option('--again', 'repeat all erasures on this database')
    .option('--no-wait', 'print the run and leave it to the worker')
    .addHelpText('after', help)
    .action(
      async (project: string | undefined, user: string | undefined, ...rest: [EraseOptions, Command]) => {
        const [options, command] = rest;
        if (options.again === true) return again(context, command, { project, options });
        if (project === undefined || user === undefined || options.reason === undefined)
          throw new CliError('usage', 'Name the project and the user, and give --reason; or --again alone.');
        await eraseOne(context, command, { project, user, reason: options.reason, options });
      },
    );
  program
    .command('export <project> <user>')
    .description('Everything that is stored about a user, as JSON')
    .action(async (project: string, user: string) => {
      const body = { project_id: project, user_id: user };
      const call = { method: 'POST' as const, path: '/admin/users/export', body };
      context.print(JSON.stringify(await context.call(exportResponse, call), null, 2));
    });
}

type One = { project: string; user: string; reason: string; options: EraseOptions };

async function eraseOne(context: Context, command: Command, { project, user, reason, options }: One) {
  const { stripe = false, dryRun = false, wait } = options;
  const where = '/admin/users/erase';
  const body = { project_id: project, user_id: user, reason, stripe };
  if (!dryRun) {
    await confirm(context, command, `${user} of ${project} will be erased, for good.`);
    return startRun(context, command, { path: where, body, wait });
  }
  const call = { method: 'POST' as const, path: where, body: { ...body, dry_run: true } };
  const tried = await context.call(dryRunOut, call);
  if (globalsOf(command).json) return context.print(JSON.stringify(tried));
  const about = renderFields({ 'dry run': true, 'affected users': tried.affected_users });
  context.print([about, ...tableIfAny(['what', 'before', 'after'], changeRows(tried.changes))].join('\n\n'));
}

type Again = { project: string | undefined; options: EraseOptions };

async function again(context: Context, command: Command, { project, options }: Again): Promise<void> {
  const { dryRun: isDryRun = false } = options;
  if (project !== undefined) throw new CliError('usage', 'Give --again alone: it is about all projects.');
  if (!isDryRun) await confirm(context, command, 'Everybody who was erased before will be erased again.');
  // Prisma and Redis are loaded here: the other commands start faster without them.
  const { eraseAgain } = await import('../erase/erase-again.ts');
  try {
    const done = await eraseAgain(context, { isDryRun });
    if (globalsOf(command).json) return context.print(JSON.stringify({ dry_run: isDryRun, ...done }));
    context.print(renderFields({ 'dry run': isDryRun, 'users found': done.users, runs: done.runs.length }));
  } catch (error) {
    throw error instanceof ConfigError ? new CliError('usage', error.message) : error;
  }
}

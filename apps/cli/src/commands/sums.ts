import type { Command } from 'commander';
import { CliError } from './cli-error.ts';
import { globalsOf } from './context.ts';
import type { Context } from './context.ts';

const help = `
Reads the database itself, not through the API: DATABASE_URL (without it the stack that \`npm start\` runs). To verify
reads all subscriptions. Until a worker has made the sums anew, metrics are counted directly, which is right but slow.
Exit codes: 0 they agree · 1 they differ, or are still being made · 2 and 3 as always.`;

/** `sums verify` and `sums rebuild`: what project metrics are read from. */
export function addSums(program: Command, context: Context): void {
  const sums = program
    .command('sums')
    .description('What project metrics are read from')
    .addHelpText('after', help);
  sums
    .command('verify')
    .description('Whether the sums are what the subscriptions are')
    .action(async (_options: object, command: Command) => {
      const { isComplete, projects, differing } = await verify(context);
      const report = { is_complete: isComplete, projects, differing: differing.map((one) => one.projectId) };
      if (globalsOf(command).json) context.print(JSON.stringify(report));
      if (!isComplete) throw new CliError('refused', 'The sums are still being made. Is a worker running?');
      if (differing.length > 0)
        throw new CliError(
          'refused',
          `The sums differ for ${report.differing.join(', ')}. To mend them: sums rebuild`,
        );
      if (!globalsOf(command).json) context.print(`The sums of ${projects} projects are right.`);
    });
  sums
    .command('rebuild')
    .description('Empty the sums; a worker makes them anew')
    .action(async () => {
      await rebuild(context);
      context.print('The sums are empty. A worker makes them anew.');
    });
}

// Prisma is loaded here: the other commands start faster without it.
async function verify(context: Context) {
  const [{ withDatabase }, { verifySums }] = await Promise.all([
    import('../with-database.ts'),
    import('@billing/store'),
  ]);
  return withDatabase(context, (database) => verifySums(database, Date.now()));
}

async function rebuild(context: Context): Promise<void> {
  const [{ withDatabase }, { emptySums }] = await Promise.all([
    import('../with-database.ts'),
    import('@billing/store'),
  ]);
  await withDatabase(context, emptySums);
}

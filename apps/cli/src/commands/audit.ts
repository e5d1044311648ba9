import { auditList } from '@billing/domain';
import { Option } from 'commander';
import type { Command } from 'commander';
import { textOfReport } from '../audit/report.ts';
import type { VerificationReport } from '../audit/report.ts';
import { verifyThroughApi } from '../audit/verify-through-api.ts';
import { CliError } from './cli-error.ts';
import { globalsOf, list, moment, pageable, queryOf } from './context.ts';
import type { Context, Filter } from './context.ts';

const verifyHelp = `
Reads the database itself, without --api: DATABASE_URL (any role that can read; without it the stack that
\`npm start\` runs). Exit codes: 0 the chain is whole · 1 it is broken, and the first bad row is named · 2 and 3 as always.
Erased readable parts are fine.

A worker writes the head of the chain to its log every hour (event audit_head). Only these lines tell a chain that was
rewritten as a whole from the true one: give those that you keep. Of the stack that \`npm start\` runs they are read from
.local/logs/worker.log.
  npm run billing -- audit verify --log worker.log
  docker compose logs --no-log-prefix worker | npm run billing -- audit verify --log -
  npm run billing -- audit verify --head 4711:<digest>`;

/** `audit` lists; `audit verify` and `audit export` are below it. */
export function addAudit(program: Command, context: Context): void {
  const audit = pageable(program.command('audit').description('Who did what, when and why'))
    .option('--project <project>')
    .option('--actor <name>')
    .option('--action <action>', 'such as grant.create')
    .option('--target <id>')
    .option('--from <when>', 'date or timestamp', moment)
    .option('--to <when>', 'date or timestamp', moment)
    .action(({ project, actor, action, target, from, to }: Filter, command: Command) =>
      list(context, command, {
        schema: auditList,
        call: {
          path: '/admin/audit',
          query: queryOf({ project_id: project, actor, action, target_id: target, from, to }),
        },
        headings: ['at', 'who', 'did', 'to', 'project', 'why'],
        row: (one) => [one.at, one.actor, one.action, one.target_id, one.project_id, one.reason],
        empty: 'Nothing is recorded.',
      }),
    );
  addVerify(audit, context);
  audit
    .command('export')
    .description('The audit log as NDJSON, oldest first; on standard error the cursor to go on with')
    .option('--since <cursor>', 'what came after an earlier export (default: all)')
    .action(({ since }: { since?: string }) => exportLines(context, since));
}

type VerifyOptions = { head: string[]; log?: string; api?: boolean };

async function verify(context: Context, options: VerifyOptions): Promise<VerificationReport> {
  if (options.api === true) {
    if (options.head.length > 0 || options.log !== undefined)
      throw new CliError('usage', '--api compares no heads: leave out --api, --head or --log.');
    return verifyThroughApi(context);
  }
  // Prisma is loaded here: the other commands start faster without it.
  const { runVerification } = await import('../audit/run-verification.ts');
  return runVerification(context, options);
}

function addVerify(audit: Command, context: Context): void {
  audit
    .command('verify')
    .description('Whether the audit log is as it was written')
    .addOption(
      new Option('--head <id:digest>', 'a head of the chain that was written down; repeatable')
        .argParser((one: string, before: string[]) => [...before, one])
        .default([], 'none'),
    )
    .option('--log <file>', "lines of a worker's log, of which the heads are taken; - is standard input")
    .option('--api', 'ask the API, as the console does: no database is needed, no head is compared')
    .addHelpText('after', verifyHelp)
    .action(async (options: VerifyOptions, command: Command) => {
      const report = await verify(context, options);
      context.print(globalsOf(command).json ? JSON.stringify(report) : textOfReport(report));
      if (!report.is_whole) throw new CliError('refused', 'The audit log is not as it was written.');
    });
}

const cursorHeader = 'x-next-cursor';

async function exportLines(context: Context, since: string | undefined): Promise<void> {
  let cursor = since;
  for (let hasMore = true; hasMore;) {
    const { text, headers } = await context.callForText({
      path: '/admin/audit/export',
      query: { cursor, limit: 1000 },
    });
    hasMore = text !== '';
    if (hasMore) context.print(text.trimEnd());
    cursor = headers.get(cursorHeader) ?? undefined;
    if (cursor === undefined)
      throw new CliError('unavailable', `The answer has no ${cursorHeader}. Check BILLING_URL.`);
  }
  context.say(`To go on later: --since ${cursor}`);
}

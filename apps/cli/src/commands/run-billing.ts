import { Command, CommanderError } from 'commander';
import { addCustomers, addGrants } from './access.ts';
import { createAdminClient, createTextClient, findService } from './admin-client.ts';
import { addPrices } from './prices.ts';
import { addProducts } from './products.ts';
import { CliError, exitCodes } from './cli-error.ts';
import type { Context } from './context.ts';
import { addAudit } from './audit.ts';
import { addDuplicates } from './duplicates.ts';
import { addNames, addOverview, addSamples, addSessions } from './console.ts';
import { addCatalog } from './catalog.ts';
import { addErase } from './erase.ts';
import { addExplain } from './explain.ts';
import { addFeatures } from './features.ts';
import { addImport } from './import.ts';
import { addKeys } from './keys.ts';
import { addAssign } from './owners.ts';
import { addProjects } from './projects.ts';
import { addEvent, addEvents, addQuarantine } from './records.ts';
import { addRuns } from './runs.ts';
import { addPurchases, addRevenue, addSubscriptions } from './sold.ts';
import { addSums } from './sums.ts';
import { addUsage } from './usage.ts';
import { addFind, addUsers } from './users.ts';
import { addWebhooks } from './webhooks.ts';

export type Terminal = Omit<Context, 'call' | 'callForText'>;

const help = `
Which service: BILLING_URL and BILLING_ADMIN_KEY (the secret of one pair of ADMIN_API_KEY), else the stack that
\`npm start\` runs here (.local/stack.json).

Exit codes: 0 done · 1 refused, or the work failed · 2 wrong command line, settings or no confirmation ·
3 the service can't be reached or is out of order: try again later

Examples:
  npm run billing -- explain shop user_1
  npm run billing -- grant shop user_1 premium_export --to 2027-01-01 --reason "support case 4711"
  npm run --silent billing -- events --status failed --json | jq .data      (--silent: npm prints no banner before it)`;

/** In the order of the help. */
const commands = [
  addProjects,
  addKeys,
  addFeatures,
  addProducts,
  addPrices,
  addCatalog,
  addCustomers,
  addAssign,
  addGrants,
  addFind,
  addUsers,
  addExplain,
  addSubscriptions,
  addPurchases,
  addRevenue,
  addUsage,
  addWebhooks,
  addErase,
  addEvents,
  addEvent,
  addQuarantine,
  addDuplicates,
  addAudit,
  addRuns,
  addOverview,
  addSamples,
  addSessions,
  addNames,
  addSums,
  addImport,
];

function createProgram(context: Context): Command {
  const program = new Command('npm run billing --')
    .description("The operator's command line of the billing service.")
    .option('--json', "the API's own answer, as one line of JSON; for pipes: npm run --silent billing -- …")
    .option('--yes', "confirms what can't be undone, for scripts")
    .configureOutput({
      writeOut: (text) => context.print(text.trimEnd()),
      writeErr: (text) => context.say(text.trimEnd()),
    })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help says how)')
    .addHelpText('after', help)
    .exitOverride(({ exitCode, code, message }) => {
      throw new CommanderError(exitCode === 0 ? 0 : exitCodes.usage, code, message);
    });
  for (const add of commands) add(program, context);
  return program;
}

/** Runs one command and prints its errors; resolves with the exit code. */
export async function runBilling(args: readonly string[], terminal: Terminal): Promise<number> {
  // The service is looked up when first needed: --help needs none.
  const call: Context['call'] = (schema, request) =>
    createAdminClient(findService(terminal.env, terminal.stackPath))(schema, request);
  const callForText: Context['callForText'] = (request) =>
    createTextClient(findService(terminal.env, terminal.stackPath))(request);
  try {
    await createProgram({ ...terminal, call, callForText }).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has printed its errors already.
    if (error instanceof CommanderError) return error.exitCode;
    if (!(error instanceof CliError)) throw error;
    terminal.say(error.message);
    return error.exitCode;
  }
}

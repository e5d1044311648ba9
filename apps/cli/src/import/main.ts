import { join } from 'node:path';
import { ConfigError } from '@billing/platform';
import type { ImportInput, ImportReadDeps, SyncDeps } from '@billing/sync';
import { Command } from 'commander';
import { readCustomerList } from './customer-list.ts';
import { connect, findEnvironment } from './connect.ts';
import { draftMapping } from './draft-mapping.ts';
import {
  fingerprintOf,
  freshState,
  ImportError,
  longestPage,
  readMapping,
  runImport,
  totalOf,
} from '@billing/sync';
import { explainOutage, requireDatabase } from './postgres-trouble.ts';
import { createProgress } from './progress.ts';
import { readAccountId } from './read-account.ts';
import { removeState, resumeState, writeState } from './resume-state.ts';
import { summarize } from './summary.ts';
import { localFiles } from '../local-files.ts';

type Options = {
  project: string;
  mapping?: string;
  customers?: string;
  draftMapping?: string;
  state?: string;
  dryRun?: boolean;
  restart?: boolean;
  json?: boolean;
};

const command = new Command('npm run import:stripe --')
  .description(
    'Brings an existing Stripe account into a project: products and prices, customers, live subscriptions and past one-time payments. Safe to repeat, also while webhooks arrive.',
  )
  .requiredOption('--project <project_id>', 'the project that they belong to')
  .option('--mapping <file>', 'JSON: which Stripe products and prices sell which feature codes')
  .option('--customers <file>', 'CSV with stripe_customer_id and user_id; goes before metadata.user_id')
  .option('--draft-mapping <file>', 'only write a mapping file to start from, then stop')
  .option('--dry-run', 'change nothing, say what would be done')
  .option('--restart', 'begin anew, though an earlier run stopped half-way')
  .option('--state <file>', 'where the place is kept (default: .local/import-<project>.json)')
  .option('--json', 'print the result as JSON')
  .addHelpText(
    'after',
    `
Reads DATABASE_URL, REDIS_URL, CACHE_REDIS_URL, QUEUE_PREFIX, STRIPE_SECRET_KEY, STRIPE_API_BASE and
STRIPE_READS_PER_SECOND, as the service has them; without DATABASE_URL it works on the stack that \`npm start\` runs.

The mapping file:
  { "products": [ {
      "product_id": "pro", "name": "Pro", "feature_codes": ["premium_export"],
      "stripe_product_id": "prod_…",
      "prices": [ { "stripe_price_id": "price_…", "price_id": "pro_monthly" },
                  { "stripe_price_id": "price_…", "access_days": 30 } ] } ] }
With stripe_product_id all prices of that product are taken; "prices" names single ones and says more of them.`,
  );

async function importAccount(lookup: ImportReadDeps, options: Options, input: ImportInput): Promise<void> {
  const { sync, progress } = lookup;
  const { project: projectId, dryRun: isDryRun = false } = options;
  const statePath = options.state ?? join(localFiles.folder, `import-${encodeURIComponent(projectId)}.json`);
  const subject = {
    project: projectId,
    account: fingerprintOf([await readAccountId(lookup), sync.mode]),
    mapping: fingerprintOf(input.mapping),
    customers: fingerprintOf([...input.listed]),
  };
  const state =
    isDryRun || options.restart ? freshState(subject) : resumeState(statePath, { subject, progress });
  const save = (): void => (isDryRun ? undefined : writeState(statePath, state));
  await runImport({ ...lookup, projectId, isDryRun, state, save }, input);
  if (!isDryRun) removeState(statePath);
  const { counts, findings } = totalOf(state);
  console.log(
    options.json
      ? JSON.stringify({ dry_run: isDryRun, counts, findings })
      : summarize({ counts, findings }, isDryRun),
  );
}

async function work(sync: SyncDeps, options: Options, input: ImportInput): Promise<void> {
  const progress = createProgress(process.stderr);
  const lookup = { sync, progress, pageSize: longestPage };
  try {
    if (options.draftMapping === undefined) return await importAccount(lookup, options, input);
    const products = await draftMapping(lookup, options.draftMapping);
    console.log(`${options.draftMapping}: ${products} products. Fill in their feature_codes.`);
  } finally {
    progress.end();
  }
}

async function main(options: Options): Promise<void> {
  const mapping = options.mapping === undefined ? null : readMapping(options.mapping);
  const listed =
    options.customers === undefined ? new Map<string, string>() : readCustomerList(options.customers);
  const { sync, databaseAt, close } = connect(findEnvironment(process.env, localFiles.stack));
  try {
    if (options.draftMapping === undefined) await requireDatabase(sync.database, databaseAt);
    await work(sync, options, { mapping, listed });
  } catch (error) {
    throw explainOutage(error, databaseAt);
  } finally {
    await close();
  }
}

try {
  await main(command.parse().opts<Options>());
} catch (error) {
  const isExpected = error instanceof ImportError || error instanceof ConfigError;
  console.error(isExpected ? error.message : error);
  process.exitCode = 1;
}

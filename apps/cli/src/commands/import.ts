import { ConfigError } from '@billing/platform';
import type { Command } from 'commander';
import type { ImportOptions } from '../import/import-account.ts';
import { CliError } from './cli-error.ts';
import { globalsOf } from './context.ts';
import type { Context } from './context.ts';

const help = `
Reads DATABASE_URL, REDIS_URL, CACHE_REDIS_URL, QUEUE_PREFIX, STRIPE_SECRET_KEY, STRIPE_API_BASE and
STRIPE_READS_PER_SECOND, as the service has them; without DATABASE_URL it works on the stack that \`npm start\` runs.

The mapping file:
  { "products": [ {
      "product_id": "pro", "name": "Pro", "feature_codes": ["premium_export"],
      "stripe_product_id": "prod_…",
      "prices": [ { "stripe_price_id": "price_…", "price_id": "pro_monthly" },
                  { "stripe_price_id": "price_…", "access_days": 30 } ] } ] }
With stripe_product_id all prices of that product are taken; "prices" names single ones and says more of them.\nA product may have "group", "rank", "is_default" and "max_trials_per_user".`;

/** Also `npm run import:stripe --`. It works on the database itself, not through the API. */
export function addImport(program: Command, context: Context): void {
  program
    .command('import')
    .summary('Bring an existing Stripe account into a project; safe to repeat')
    .description(
      'Bring an existing Stripe account into a project: products and prices, customers, live subscriptions and past one-time payments. Safe to repeat, also while webhooks arrive.',
    )
    .requiredOption('--project <project_id>', 'the project that they belong to')
    .option('--mapping <file>', 'JSON: which Stripe products and prices sell which feature codes')
    .option('--customers <file>', 'CSV with stripe_customer_id and user_id; goes before metadata.user_id')
    .option('--draft-mapping <file>', 'only write a mapping file to start from, then stop')
    .option('--dry-run', 'change nothing, say what would be done')
    .option('--restart', 'begin anew, though an earlier run stopped half-way')
    .option('--state <file>', 'where the place is kept (default: .local/import-<project>.json)')
    .addHelpText('after', help)
    // Every failure of an import ends with 1, a wrong command line too.
    .exitOverride()
    .action(async (options: Omit<ImportOptions, 'json'>, command: Command) => {
      // Prisma and Redis are loaded here: the other commands start faster without them.
      const { importAccount } = await import('../import/import-account.ts');
      const { ImportError } = await import('@billing/sync');
      try {
        await importAccount(context, { ...options, json: globalsOf(command).json });
      } catch (error) {
        const isExpected = error instanceof ImportError || error instanceof ConfigError;
        throw isExpected ? new CliError('refused', error.message) : error;
      }
    });
}

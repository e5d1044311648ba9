import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  fingerprintOf,
  freshState,
  ImportError,
  longestPage,
  readAll,
  readMapping,
  readStripe,
  runImport,
  totalOf,
  unlessRefused,
} from '@billing/sync';
import type { ImportInput, ImportReadDeps } from '@billing/sync';
import type { Context } from '../commands/context.ts';
import { connect, findEnvironment } from './connect.ts';
import { readCustomerList } from './customer-list.ts';
import { explainOutage, requireDatabase } from './postgres-trouble.ts';
import { recordImportRun } from './import-run.ts';
import { createProgress } from './progress.ts';
import { removeState, resumeState, writeState } from './resume-state.ts';
import { summarize } from './summary.ts';

export type ImportOptions = {
  project: string;
  mapping?: string;
  customers?: string;
  draftMapping?: string;
  state?: string;
  dryRun?: boolean;
  restart?: boolean;
  json: boolean;
};

/** Imports, or drafts a mapping, as the options say. Throws an ImportError or ConfigError that says what to do. */
export async function importAccount(context: Context, options: ImportOptions): Promise<void> {
  const mapping = options.mapping === undefined ? null : readMapping(options.mapping);
  const listed =
    options.customers === undefined ? new Map<string, string>() : readCustomerList(options.customers);
  const { sync, databaseAt, close } = connect(findEnvironment(context.env, context.stackPath));
  const progress = createProgress(process.stderr);
  const deps = { sync, progress, pageSize: longestPage };
  try {
    if (options.draftMapping === undefined) {
      await requireDatabase(sync.database, databaseAt);
      context.print(
        await runAndSummarize(deps, { mapping, listed }, { ...options, stackPath: context.stackPath }),
      );
    } else {
      const count = await draftMapping(deps, options.draftMapping);
      context.print(`${options.draftMapping}: ${count} products. Fill in their feature_codes.`);
    }
  } catch (error) {
    throw explainOutage(error, databaseAt);
  } finally {
    progress.end();
    await close();
  }
}

async function runAndSummarize(
  deps: ImportReadDeps,
  input: ImportInput,
  options: ImportOptions & Pick<Context, 'stackPath'>,
): Promise<string> {
  const { project: projectId, dryRun: isDryRun = false, stackPath } = options;
  const statePath = options.state ?? join(dirname(stackPath), `import-${encodeURIComponent(projectId)}.json`);
  const subject = {
    project: projectId,
    account: fingerprintOf([await readAccountId(deps), deps.sync.mode]),
    mapping: fingerprintOf(input.mapping),
    customers: fingerprintOf([...input.listed]),
  };
  const state =
    isDryRun || options.restart
      ? freshState(subject)
      : resumeState(statePath, { subject, progress: deps.progress });
  const save = (): void => (isDryRun ? undefined : writeState(statePath, state));
  const work = (): Promise<void> => runImport({ ...deps, projectId, isDryRun, state, save }, input);
  if (isDryRun) await work();
  else await recordImportRun({ database: deps.sync.database, projectId, state }, work);
  if (!isDryRun) removeState(statePath);
  const { counts, findings } = totalOf(state);
  return options.json
    ? JSON.stringify({ dry_run: isDryRun, counts, findings })
    : summarize({ counts, findings }, isDryRun);
}

/**
 * The id of the account that the key belongs to. Null: a restricted key that may read what is imported, but not
 * the account; what is imported does not need it.
 */
export async function readAccountId(deps: ImportReadDeps): Promise<string | null> {
  const account = await readStripe(deps, () =>
    unlessRefused(
      ({ type }) => type === 'StripePermissionError',
      () => deps.sync.stripe.accounts.retrieveCurrent(),
    ),
  );
  return account?.id ?? null;
}

/**
 * Writes a mapping file to start from: every active product of the account with all its prices. The feature
 * codes are for a person to fill in. Returns how many products there are. Never overwrites a file.
 */
async function draftMapping(deps: ImportReadDeps, path: string): Promise<number> {
  const products = await readAll(deps, (params) =>
    deps.sync.stripe.products.list({ ...params, active: true }),
  );
  const mapping = {
    products: products.map(({ id, name }) => ({
      product_id: id,
      name,
      feature_codes: [],
      stripe_product_id: id,
      prices: [],
    })),
  };
  try {
    writeFileSync(path, `${JSON.stringify(mapping, null, 2)}\n`, { flag: 'wx' });
  } catch {
    throw new ImportError(`${path} can't be written, or exists already. Choose the path of a new file.`);
  }
  return products.length;
}

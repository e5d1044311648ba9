import { dryRunOut, featureList, priceList, productList } from '@billing/domain';
import { readJsonFile } from '@billing/platform';
import type { Command } from 'commander';
import { z } from 'zod';
import { catalogFile, toCatalogFile } from '../catalog/catalog-file.ts';
import type { CatalogFile } from '../catalog/catalog-file.ts';
import { planCatalog } from '../catalog/plan-catalog.ts';
import type { CatalogPlan, CatalogStep } from '../catalog/plan-catalog.ts';
import { path } from './admin-client.ts';
import { CliError } from './cli-error.ts';
import { confirm, dryRunOption, globalsOf, isDryRun } from './context.ts';
import type { Context } from './context.ts';
import { renderTable } from './table.ts';

type List<T> = z.ZodType<{ data: T[]; next_cursor: string | null }>;

async function readAll<T>(context: Context, schema: List<T>, listPath: string): Promise<T[]> {
  const rows: T[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await context.call(schema, { path: listPath, query: { limit: 100, cursor }, isFresh: true });
    rows.push(...page.data);
    if (page.next_cursor === null) return rows;
    cursor = page.next_cursor;
  }
}

const readCatalog = async (context: Context, project: string): Promise<CatalogFile> =>
  toCatalogFile({
    features: await readAll(context, featureList, path`/admin/projects/${project}/features`),
    products: await readAll(context, productList, path`/admin/projects/${project}/products`),
    prices: await readAll(context, priceList, path`/admin/projects/${project}/prices`),
  });

function addExport(catalog: Command, context: Context): void {
  catalog
    .command('export <project>')
    .description('Features, products and prices as JSON, to be applied to another project')
    .action(async (project: string) => {
      context.print(JSON.stringify(await readCatalog(context, project), null, 2));
    });
}

/** Throws a CliError for a file that is not there or says something else. */
function readFile<T>(name: string, schema: z.ZodType<T>): T {
  const read = readJsonFile(name, schema);
  if (read === undefined) throw new CliError('usage', `${name} is not such a file: see catalog --help.`);
  return read;
}

const callOf = (project: string, { action, path: below, body }: CatalogStep) => ({
  method: action === 'create' ? ('POST' as const) : ('PATCH' as const),
  path: `${path`/admin/projects/${project}`}/${below.map(encodeURIComponent).join('/')}`,
  body,
});

const changeText = ({ changes }: CatalogStep): string[] =>
  changes.map((one) => `${one.path}: ${JSON.stringify(one.before)} → ${JSON.stringify(one.after)}`);

/** How many users each change of what is there concerns, as the API says; null: more than it counts. */
async function countUsers(
  context: Context,
  project: string,
  steps: readonly CatalogStep[],
): Promise<(number | null)[]> {
  const counts: (number | null)[] = [];
  const made = new Set(
    steps.filter(({ action }) => action === 'create').map(({ kind, id }) => `${kind} ${id}`),
  );
  for (const step of steps) {
    // What is made before in the same plan has nobody yet, and is not there to be tried.
    if (step.action === 'create' || made.has(`${step.kind} ${step.id}`)) {
      counts.push(0);
      continue;
    }
    const call = callOf(project, step);
    const tried = await context.call(dryRunOut, { ...call, body: { ...call.body, dry_run: true } });
    counts.push(tried.affected_users);
  }
  return counts;
}

function report(context: Context, { problems, takenIds, onlyThere }: CatalogPlan): void {
  if (takenIds.length > 0)
    context.say(`Taken as they are, without --stripe-ids: ${[...new Set(takenIds)].join(', ')}.`);
  if (onlyThere.length > 0) context.say(`Only there, and left as they are: ${onlyThere.join(', ')}.`);
  for (const problem of problems) context.say(`Not possible: ${problem}.`);
}

type ApplyOptions = { stripeIds?: string };

async function apply(
  context: Context,
  command: Command,
  { project, file, options }: { project: string; file: string; options: ApplyOptions },
): Promise<void> {
  const wanted = readFile(file, catalogFile);
  const ids =
    options.stripeIds === undefined ? {} : readFile(options.stripeIds, z.record(z.string(), z.string()));
  const plan = planCatalog(wanted, await readCatalog(context, project), ids);
  const { json } = globalsOf(command);
  report(context, plan);
  if (plan.steps.length === 0) return context.print(json ? '[]' : 'The catalog is as the file says.');
  if (isDryRun(command)) {
    const users = await countUsers(context, project, plan.steps);
    if (json)
      return context.print(
        JSON.stringify(plan.steps.map((step, n) => ({ ...step, affected_users: users[n] }))),
      );
    const rows = plan.steps.map((step, n) => [
      step.action,
      step.kind,
      step.id,
      users[n] ?? 'many',
      changeText(step),
    ]);
    return context.print(renderTable(['action', 'what', 'id', 'users concerned', 'changes'], rows));
  }
  await confirm(context, command, `${plan.steps.length} changes of the catalog of ${project}.`);
  for (const [done, step] of plan.steps.entries()) {
    try {
      await context.call(z.unknown(), callOf(project, step));
    } catch (error) {
      context.say(
        `${done} of ${plan.steps.length} changes were made; ${step.action} ${step.kind} ${step.id} was not.`,
      );
      throw error;
    }
  }
  const rows = plan.steps.map((step) => [step.action, step.kind, step.id]);
  context.print(json ? JSON.stringify(plan.steps) : renderTable(['done', 'what', 'id'], rows));
}

/** The group of commands that bring a catalog from one project to another: from staging to production. */
export function addCatalog(program: Command, context: Context): void {
  const catalog = program
    .command('catalog')
    .description('A whole catalog: from one project, or one installation, to another');
  addExport(catalog, context);
  catalog
    .command('apply <project> <file>')
    .description('Bring a catalog to what a file of catalog export says; nothing is deleted')
    .option(
      '--stripe-ids <file>',
      'JSON: Stripe\'s ids of the file, and what they are here: {"price_…": "price_…"}',
    )
    .option(...dryRunOption)
    .action((project: string, file: string, ...rest: [ApplyOptions, Command]) =>
      apply(context, rest[1], { project, file, options: rest[0] }),
    );
}

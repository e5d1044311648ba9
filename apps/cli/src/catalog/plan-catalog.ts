import { differences } from '@billing/domain';
import type { FieldChange } from '@billing/domain';
import type { CatalogFile } from './catalog-file.ts';

type Kind = 'feature' | 'product' | 'price';

/** One call that brings the project nearer to the file. `path` is below the project's. */
export type CatalogStep = {
  action: 'create' | 'update';
  kind: Kind;
  id: string;
  path: readonly string[];
  body: Record<string, unknown>;
  changes: FieldChange[];
};

export type CatalogPlan = {
  steps: CatalogStep[];
  /** What the file asks for and no call can do. */
  problems: string[];
  /** Stripe's ids of the file that the project gets as they are. */
  takenIds: string[];
  /** What only the project has: it stays. */
  onlyThere: string[];
};

type Fields = Readonly<Record<string, unknown>>;
type Entry = { id: string; fields: Fields };
type KindRules = {
  kind: Kind;
  folder: string;
  idField: string;
  /** What can't be changed once it is there. */
  fixed: readonly string[];
  /** What a creation can't say: it is changed right after. */
  later: readonly string[];
};

const rules: Record<Kind, KindRules> = {
  feature: { kind: 'feature', folder: 'features', idField: 'feature_code', fixed: [], later: [] },
  product: { kind: 'product', folder: 'products', idField: 'product_id', fixed: [], later: ['is_archived'] },
  price: {
    kind: 'price',
    folder: 'prices',
    idField: 'price_id',
    fixed: ['access_days'],
    later: ['is_archived'],
  },
};

const without = (fields: Fields, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));

/** Creations take no null, what is absent is none; but an amount that is absent would be Stripe's, which may not have the price. */
const withoutNulls = (fields: Fields): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([name, value]) => value !== null || name === 'amount'));

const changedFields = (changes: readonly FieldChange[]): Set<string> =>
  new Set(changes.map(({ path }) => path.split('.')[0] ?? path));

function createSteps({ kind, folder, idField, later }: KindRules, { id, fields }: Entry): CatalogStep[] {
  const created: CatalogStep = {
    action: 'create',
    kind,
    id,
    path: [folder],
    body: { [idField]: id, ...withoutNulls(without(fields, later)) },
    changes: [],
  };
  const after = Object.entries(fields).filter(([name, value]) => later.includes(name) && value !== false);
  if (after.length === 0) return [created];
  const changes = after.map(([path, value]) => ({ path, before: false, after: value }));
  return [
    created,
    { ...created, action: 'update', path: [folder, id], body: Object.fromEntries(after), changes },
  ];
}

type Compared = { steps: CatalogStep[]; problems: string[]; onlyThere: string[] };

function compare(rule: KindRules, wanted: readonly Entry[], there: readonly Entry[]): Compared {
  const present = new Map(there.map((one) => [one.id, one.fields]));
  const names = new Set(wanted.map(({ id }) => id));
  const steps: CatalogStep[] = [];
  const problems: string[] = [];
  for (const entry of wanted) {
    const before = present.get(entry.id);
    if (before === undefined) {
      steps.push(...createSteps(rule, entry));
      continue;
    }
    const changes = differences(before, entry.fields);
    const fields = changedFields(changes);
    for (const name of rule.fixed.filter((one) => fields.has(one)))
      problems.push(`${rule.kind} ${entry.id}: ${name} cannot be changed; use another ${rule.kind}`);
    const body = Object.fromEntries(
      Object.entries(entry.fields).filter(([name]) => fields.has(name) && !rule.fixed.includes(name)),
    );
    if (Object.keys(body).length > 0)
      steps.push({
        action: 'update',
        kind: rule.kind,
        id: entry.id,
        path: [rule.folder, entry.id],
        body,
        changes,
      });
  }
  const onlyThere = there.filter(({ id }) => !names.has(id)).map(({ id }) => `${rule.kind} ${id}`);
  return { steps, problems, onlyThere };
}

/** Of a group one product is the default: the old one stops first. */
const defaultsLast = (steps: readonly CatalogStep[]): CatalogStep[] => [
  ...steps.filter(({ body }) => body['is_default'] === false && 'is_default' in body),
  ...steps.filter(({ body }) => body['is_default'] !== false),
];

const featureEntry = ({ feature_code: id, ...fields }: CatalogFile['features'][number]): Entry => ({
  id,
  fields,
});

/** As requests say it: codes without settings, and those with them. */
const productFields = ({ feature_codes: codes, features, ...fields }: CatalogFile['products'][number]) => {
  const withSettings = new Set(features.map((one) => one.feature_code));
  return { ...fields, feature_codes: codes.filter((code) => !withSettings.has(code)).toSorted(), features };
};

/**
 * The calls that bring a project's catalog to what a file says. Nothing is deleted. `stripeIds`: what Stripe's ids of the file
 * are in the project's account; a price that the project has keeps its own, and so does a Stripe product.
 */
export function planCatalog(
  file: CatalogFile,
  there: CatalogFile,
  stripeIds: Readonly<Record<string, string>>,
): CatalogPlan {
  const takenIds: string[] = [];
  const mapped = (id: string): string => {
    const known = Object.hasOwn(stripeIds, id) ? stripeIds[id] : undefined;
    if (known === undefined) takenIds.push(id);
    return known ?? id;
  };
  const products = new Map(there.products.map((one) => [one.product_id, one]));
  const prices = new Map(there.prices.map((one) => [one.price_id, one]));
  const wantedProducts = file.products.map((product): Entry => {
    const { product_id: id, stripe_product_id: ofFile, ...fields } = productFields(product);
    const own = products.get(id)?.stripe_product_id ?? null;
    return { id, fields: { ...fields, stripe_product_id: own ?? (ofFile === null ? null : mapped(ofFile)) } };
  });
  const wantedPrices = file.prices.map(({ price_id: id, stripe_price_id: ofFile, ...fields }): Entry => {
    const own = prices.get(id);
    if (own === undefined) return { id, fields: { ...fields, stripe_price_id: mapped(ofFile) } };
    // Null: the other account's Stripe had not said it.
    return { id, fields: { ...fields, usage_type: fields.usage_type ?? own.usage_type } };
  });
  const thereProducts = there.products.map((product): Entry => {
    const { product_id: id, ...fields } = productFields(product);
    return { id, fields };
  });
  const compared = [
    compare(rules.feature, file.features.map(featureEntry), there.features.map(featureEntry)),
    compare(rules.product, wantedProducts, thereProducts),
    compare(
      rules.price,
      wantedPrices,
      there.prices.map(({ price_id: id, stripe_price_id: _own, ...fields }) => ({ id, fields })),
    ),
  ];
  return {
    steps: compared.flatMap(({ steps }, index) => (index === 1 ? defaultsLast(steps) : steps)),
    problems: compared.flatMap(({ problems }) => problems),
    takenIds,
    onlyThere: compared.flatMap(({ onlyThere }) => onlyThere),
  };
}

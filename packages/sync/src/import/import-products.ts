import { isDeepStrictEqual } from 'node:util';
import { changeProductFeatures, ServiceError } from '@billing/domain';
import type { CreateFeatureRequest, ErrorCode } from '@billing/domain';
import {
  createFeature,
  createProduct,
  getFeature,
  getProduct,
  givesOf,
  planAfter,
  publishInvalidations,
  toPlanOut,
} from '@billing/store';
import type { Changed } from '@billing/store';
import { importActor, ImportError } from './import-deps.ts';
import type { ImportDeps, PhaseDeps } from './import-deps.ts';
import { count, note } from './import-state.ts';
import type { MappedProduct } from './mapping.ts';

export async function unlessThere<T>(code: ErrorCode, make: () => Promise<T>): Promise<T | null> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof ServiceError && error.code === code) return null;
    throw error;
  }
}

/** Publishes a change of the catalog and returns its result. */
export async function published<T>({ sync }: ImportDeps, changed: Changed<T>): Promise<T> {
  await publishInvalidations(sync, changed.pending);
  return changed.result;
}

const wrongMapping: ReadonlySet<ErrorCode> = new Set([
  'feature_in_use',
  'feature_needs_settings',
  'default_exists',
  'stripe_product_mapped',
  'invalid_request',
]);

/** What the catalog refuses is to be corrected in the mapping. Throws ImportError. */
async function asMapped<T>(what: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof ServiceError) || !wrongMapping.has(error.code)) throw error;
    const fields = (error.errors ?? []).map(({ path, message }) => ` ${path} ${message}.`);
    throw new ImportError(`${what} of the mapping can't be made: ${error.message}${fields.join('')}`);
  }
}

/** Describes a code unless it is described: what exists stays as it is. */
export async function ensureFeature(deps: PhaseDeps, request: CreateFeatureRequest): Promise<void> {
  const { sync, projectId, tally, isDryRun } = deps;
  const { feature_code: featureCode, kind, counted } = request;
  const known = await unlessThere('feature_not_found', () =>
    getFeature(sync.database, { projectId, featureCode }),
  );
  if (known !== null) {
    count(tally, 'features_there_already');
    if (known.kind !== kind || known.counted !== counted)
      note(tally, 'features_of_another_kind', featureCode);
    return;
  }
  count(tally, 'features_created');
  if (isDryRun) return;
  const made = await unlessThere('feature_exists', () =>
    asMapped(`The feature ${featureCode}`, () =>
      createFeature(sync.database, { projectId, request, actor: importActor }),
    ),
  );
  if (made !== null) await published(deps, made);
}

/** Whatever the order of codes and fields is. */
const inOrder = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, one]) => [name, inOrder(one)]),
  );
};

export async function ensureProduct(deps: PhaseDeps, product: MappedProduct): Promise<void> {
  const { sync, projectId, tally, isDryRun } = deps;
  const { product_id: productId, name, feature_codes: featureCodes, features } = product;
  const known = await unlessThere('product_not_found', () =>
    getProduct(sync.database, { projectId, productId }),
  );
  const { group, rank, is_default, max_trials_per_user, stripe_product_id, access_days } = product;
  const plan = { group, rank, is_default, max_trials_per_user, stripe_product_id, access_days };
  const request = { product_id: productId, name, feature_codes: featureCodes, features, ...plan };
  if (known !== null) {
    count(tally, 'products_there_already');
    const [wanted, there] = [
      changeProductFeatures({ featureCodes: [], settings: {} }, request),
      givesOf(known),
    ].map((gives) => JSON.stringify([gives.featureCodes.toSorted(), inOrder(gives.settings)]));
    if (wanted !== there) note(tally, 'products_with_other_features', productId);
    const isOther = !isDeepStrictEqual(toPlanOut(planAfter(plan, known)), toPlanOut(known));
    if (isOther) note(tally, 'products_that_are_another_plan', productId);
    return;
  }
  count(tally, 'products_created');
  if (isDryRun) return;
  const made = await unlessThere('product_exists', () =>
    asMapped(`The product ${productId}`, () =>
      createProduct(sync.database, { projectId, request, actor: importActor }),
    ),
  );
  if (made !== null) await published(deps, made);
}

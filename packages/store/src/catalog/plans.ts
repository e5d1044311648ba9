import { ServiceError } from '@billing/domain';
import type { PatchProductRequest } from '@billing/domain';
import type { Changed, PendingInvalidation } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import { releaseAgain, releaseForStripeProduct } from '../customers/release-quarantine.ts';
import { isDuplicate } from '../database-errors.ts';
import type { Product } from '../generated/client.ts';
import type { Holders } from './count-holders.ts';

type ProductKey = Pick<Product, 'projectId' | 'productId'>;

type Plan = Pick<
  Product,
  'group' | 'rank' | 'isDefault' | 'maxTrialsPerUser' | 'stripeProductId' | 'accessDays'
>;

type PlanRequest = Pick<PatchProductRequest, keyof ReturnType<typeof toPlanOut>>;

const noPlan: Plan = {
  group: null,
  rank: null,
  isDefault: false,
  maxTrialsPerUser: null,
  stripeProductId: null,
  accessDays: null,
};

const orBefore = <T>(sent: T | undefined, before: T): T => (sent === undefined ? before : sent);

/** The columns once a request is done; what it leaves out stays. */
export function planAfter(request: PlanRequest, before: Plan = noPlan): Plan {
  return {
    group: orBefore(request.group, before.group),
    rank: orBefore(request.rank, before.rank),
    isDefault: orBefore(request.is_default, before.isDefault),
    maxTrialsPerUser: orBefore(request.max_trials_per_user, before.maxTrialsPerUser),
    stripeProductId: orBefore(request.stripe_product_id, before.stripeProductId),
    accessDays: orBefore(request.access_days, before.accessDays),
  };
}

/** How a product shows what makes it a plan. */
export const toPlanOut = (product: Plan) => ({
  group: product.group,
  rank: product.rank,
  is_default: product.isDefault,
  max_trials_per_user: product.maxTrialsPerUser,
  stripe_product_id: product.stripeProductId,
  access_days: product.accessDays,
});

/** The same for the audit log: only what there is. */
export const planSummary = (product: Plan): Partial<ReturnType<typeof toPlanOut>> =>
  Object.fromEntries(
    Object.entries(toPlanOut(product)).filter(([, value]) => value !== null && value !== false),
  );

/** Throws `default_exists` where another product of the group is its default. */
async function refuseSecondDefault(
  tx: Queries,
  { projectId, productId }: ProductKey,
  plan: Plan,
): Promise<void> {
  const { group } = plan;
  if (!plan.isDefault || group === null) return;
  const other = await tx.product.findFirst({
    where: { projectId, group, isDefault: true, productId: { not: productId } },
  });
  if (other !== null)
    throw new ServiceError(
      'default_exists',
      `Take is_default from ${other.productId} first, or use another group.`,
    );
}

/** Throws `stripe_product_mapped` where another product, of whatever project, has the Stripe product. */
async function refuseMapped(tx: Queries, { projectId, productId }: ProductKey, plan: Plan): Promise<void> {
  const { stripeProductId } = plan;
  if (stripeProductId === null) return;
  const other = await tx.product.findUnique({ where: { stripeProductId } });
  if (other !== null && (other.projectId !== projectId || other.productId !== productId)) throw mapped();
}

export const mapped = (): ServiceError =>
  new ServiceError(
    'stripe_product_mapped',
    'Use a stripe_product_id that no product of any project has, or map single prices.',
  );

/** Throws `default_exists`, `stripe_product_mapped`; another request may take either right after. */
export async function refuseTakenPlan(tx: Queries, key: ProductKey, plan: Plan): Promise<void> {
  await refuseSecondDefault(tx, key, plan);
  await refuseMapped(tx, key, plan);
}

/** What a refused write of a plan that nobody had just before means: another project has the Stripe product now. */
export function throwTakenPlan(error: unknown): never {
  throw isDuplicate(error) ? mapped() : error;
}

const decidesAccess = ['group', 'isDefault', 'stripeProductId', 'accessDays'] as const;

/** Whose answers another plan changes: those of all users where it is, or was, everybody's. Null: nobody's. */
export function holdersOfPlan(before: Product | null, after: Product): Omit<Holders, 'projectId'> | null {
  const was = before ?? noPlan;
  if (decidesAccess.every((field) => was[field] === after[field])) return null;
  const { productId, isDefault, stripeProductId } = after;
  return isDefault || was.isDefault ? { isEverybody: true } : { productId, stripeProductId };
}

/** Releases what waits for a Stripe product that a product has now. */
export async function releaseForPlan(
  tx: Queries,
  before: Pick<Product, 'stripeProductId'> | null,
  { projectId, stripeProductId }: Product,
): Promise<PendingInvalidation[]> {
  const isNew = stripeProductId !== null && stripeProductId !== before?.stripeProductId;
  return isNew ? releaseForStripeProduct(tx, { projectId, stripeProductId }) : [];
}

/** The change of a product with what it released, also of what came in meanwhile. */
export async function withReleased(
  database: Database,
  { result, pending }: Changed<{ product: Product; pending: PendingInvalidation[] }>,
): Promise<Changed<Product>> {
  const { product } = result;
  const late = await releaseAgain(database, (tx) => releaseForPlan(tx, null, product));
  return { result: product, pending: [...result.pending, ...pending, ...late] };
}

import { randomBytes } from 'node:crypto';
import { dayMs } from '@billing/domain';
import { changeProject, changeUser } from '@billing/store';
import type { Changed, Database } from '@billing/store';

const uniqueId = (prefix: string): string => `${prefix}_${randomBytes(6).toString('hex')}`;

type Owner = { projectId: string; userId: string };

/** A product with one price in the project's catalog. */
export async function givePrice(
  database: Database,
  projectId: string,
  product: { featureCodes: string[]; interval?: 'month' | 'one_time'; accessDays?: number },
) {
  const productId = uniqueId('product');
  const stripePriceId = uniqueId('price');
  await database.product.create({
    data: { projectId, productId, name: productId, featureCodes: product.featureCodes },
  });
  await database.price.create({
    data: {
      projectId,
      priceId: uniqueId('our_price'),
      productId,
      stripePriceId,
      amount: 1000n,
      currency: 'usd',
      interval: product.interval ?? 'month',
      ...(product.accessDays === undefined ? {} : { accessDays: product.accessDays }),
    },
  });
  return { productId, stripePriceId };
}

/** A grant, committed but not yet published: that is the caller's step. */
export async function giveGrant(
  database: Database,
  owner: Owner,
  grant: { featureCode: string; validFrom?: Date; validTo?: Date },
): Promise<Changed<string>> {
  return changeUser(database, owner, async (tx, userRef) => {
    const id = uniqueId('grant');
    await tx.grant.create({
      data: {
        id,
        userRef,
        validFrom: new Date(Date.now() - 1_000),
        reason: 'test',
        grantedBy: 'test',
        ...grant,
      },
    });
    return { result: id, changed: true };
  });
}

export async function giveSubscription(
  database: Database,
  owner: Owner,
  subscription: {
    stripePriceId: string;
    status?: string;
    periodEnd?: Date;
    cancelAt?: Date;
    quantity?: bigint;
  },
): Promise<Changed<string>> {
  const { stripePriceId, status = 'active', periodEnd, cancelAt, quantity = 1n } = subscription;
  return changeUser(database, owner, async (tx, userRef) => {
    const id = uniqueId('sub');
    await tx.subscription.create({
      data: { id, userRef, status, snapshotAt: new Date(), ...(cancelAt === undefined ? {} : { cancelAt }) },
    });
    await tx.subscriptionItem.create({
      data: {
        subscriptionId: id,
        itemId: uniqueId('si'),
        stripePriceId,
        quantity,
        currentPeriodStart: new Date(Date.now() - dayMs),
        currentPeriodEnd: periodEnd ?? new Date(Date.now() + 30 * dayMs),
      },
    });
    return { result: id, changed: true };
  });
}

/** A change of the catalog, as the admin API makes it. */
export const setFeatures = (
  database: Database,
  product: { projectId: string; productId: string },
  featureCodes: string[],
): Promise<Changed<void>> =>
  changeProject(database, product.projectId, async (tx) => {
    await tx.product.update({ where: { projectId_productId: product }, data: { featureCodes } });
    return { result: undefined, changed: {} };
  });

import { featureFieldsProblem, featureKind, ServiceError, stripeMeterOut } from '@billing/domain';
import type { CreateFeatureRequest, FeaturesByCode, PatchFeatureRequest } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { changeProject, isSame } from '../change-user.ts';
import type { Changed } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import type { Feature } from '../generated/client.ts';
import { given } from '../given.ts';
import { afterId, toPage } from '../page.ts';
import type { Page, PageRequest } from '../page.ts';
import { isFeatureUsed } from './is-feature-used.ts';

export type { Feature } from '../generated/client.ts';

export type FeatureKey = { projectId: string; featureCode: string };

const inUse = (): ServiceError =>
  new ServiceError(
    'feature_in_use',
    'Products or grants have this code: what it is can change only while nothing does. Use another code.',
  );

/**
 * Describes a code. Throws `project_not_found`, `feature_exists`, and `feature_in_use` where something that is sold or granted
 * would be another thing than boolean.
 */
export async function createFeature(
  database: Database,
  { projectId, request, actor }: { projectId: string; request: CreateFeatureRequest; actor: Actor },
): Promise<Changed<Feature>> {
  const {
    feature_code: featureCode,
    name = null,
    kind,
    unit = null,
    counted,
    thresholds,
    stripe_meter: meter,
  } = request;
  const key = { projectId, featureCode };
  return changeProject(database, projectId, async (tx) => {
    const row = { ...key, name, kind, unit, counted, thresholds, stripeMeter: given(meter) };
    const { count } = await tx.feature.createMany({ data: [row], skipDuplicates: true });
    if (count === 0) throw new ServiceError('feature_exists', 'Change the feature, or choose another code.');
    if (kind !== 'boolean' && (await isFeatureUsed(tx, key))) throw inUse();
    const result = await getFeature(tx, key);
    await writeAudit(tx, {
      actor,
      action: 'feature.create',
      projectId,
      target: { type: 'feature', id: featureCode },
      change: { before: null, after: summary(result) },
    });
    return { result, changed: 'nobody' };
  });
}

/** Throws `feature_not_found`. */
export async function getFeature(database: Queries, key: FeatureKey): Promise<Feature> {
  const feature = await database.feature.findUnique({ where: { projectId_featureCode: key } });
  if (feature === null)
    throw new ServiceError(
      'feature_not_found',
      'Use a code that is described: a code that is not is boolean.',
    );
  return feature;
}

export async function listFeatures(
  database: Database,
  { projectId, limit, cursor }: PageRequest & { projectId: string },
): Promise<Page<Feature>> {
  const rows = await database.feature.findMany({
    where: { projectId, featureCode: afterId(cursor) },
    orderBy: { featureCode: 'asc' },
    take: limit + 1,
  });
  return toPage(rows, limit, (row) => [row.featureCode]);
}

/** What is sent has to go with the kind; what was there before and does not go with another kind leaves with the old one. */
function fieldsAfter(before: Feature, patch: PatchFeatureRequest) {
  const { kind = before.kind, counted = kind === 'limit' && before.counted } = patch;
  const isMetered = kind === 'metered';
  const takesThresholds = isMetered || counted;
  const { thresholds = takesThresholds ? before.thresholds : [] } = patch;
  const { stripe_meter: meter = isMetered ? undefined : null } = patch;
  const errors = featureFieldsProblem({ kind, counted, thresholds, stripe_meter: meter });
  if (errors.length > 0)
    throw new ServiceError('invalid_request', 'Send what goes with the kind of the feature.', { errors });
  return { kind, counted, thresholds, stripeMeter: meter === null ? Prisma.DbNull : given(meter) };
}

/**
 * Throws `project_not_found`, `feature_not_found`, `feature_in_use` where what the code is would change while something has it,
 * and `invalid_request` where the fields do not go together.
 */
export async function patchFeature(
  database: Database,
  { key, patch, actor }: { key: FeatureKey; patch: PatchFeatureRequest; actor: Actor },
): Promise<Changed<Feature>> {
  return changeProject(database, key.projectId, async (tx) => {
    const before = await getFeature(tx, key);
    const { kind = before.kind, counted = before.counted } = patch;
    const isOther = kind !== before.kind || counted !== before.counted;
    if (isOther && (await isFeatureUsed(tx, key))) throw inUse();
    const result = await tx.feature.update({
      where: { projectId_featureCode: key },
      data: { name: given(patch.name), unit: given(patch.unit), ...fieldsAfter(before, patch) },
    });
    await writeAudit(tx, {
      actor,
      action: 'feature.update',
      projectId: key.projectId,
      target: { type: 'feature', id: key.featureCode },
      change: { before: summary(before), after: summary(result) },
    });
    return { result, changed: isSame(summary(before), summary(result)) ? null : 'nobody' };
  });
}

/** What the codes stand for, of those that are not boolean. */
export async function readFeatures(
  database: Queries,
  projectId: string,
  codes: readonly string[],
): Promise<FeaturesByCode> {
  const rows = await database.feature.findMany({
    where: { projectId, featureCode: { in: [...codes] }, kind: { not: 'boolean' } },
  });
  return Object.fromEntries(
    rows.map(({ featureCode, kind, counted, thresholds, stripeMeter }) => [
      featureCode,
      {
        kind: featureKind.parse(kind),
        counted,
        thresholds,
        ...(stripeMeter === null ? {} : { stripe_meter: stripeMeterOut.parse(stripeMeter) }),
      },
    ]),
  );
}

const summary = ({ name, kind, unit, counted, thresholds, stripeMeter }: Feature) => ({
  name,
  kind,
  unit,
  counted,
  thresholds,
  ...(stripeMeter === null ? {} : { stripe_meter: stripeMeter }),
});

import type { Queries } from '../create-database.ts';

/** Whether a product has the code, archived ones too, or a grant that has not ended. Call it with the project's row locked. */
export async function isFeatureUsed(
  tx: Queries,
  { projectId, featureCode }: { projectId: string; featureCode: string },
): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT 1 WHERE EXISTS (
      SELECT FROM public.products WHERE project_id = ${projectId} AND ${featureCode} = ANY(feature_codes))
    OR EXISTS (
      SELECT FROM public.grants g JOIN public.users u ON u.id = g.user_ref
      WHERE g.feature_code = ${featureCode} AND u.project_id = ${projectId}
        AND g.revoked_at IS NULL AND (g.valid_to IS NULL OR g.valid_to > now()))`;
  return rows.length > 0;
}

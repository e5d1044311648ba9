import type { Queries } from '../create-database.ts';

/** Has changes of a project's users noted while it is active and has an enabled endpoint. The project's row is locked. */
export async function followEndpoints(tx: Queries, projectId: string): Promise<void> {
  const { isActive, tellsChanges } = await tx.project.findUniqueOrThrow({ where: { id: projectId } });
  const isHeard = isActive && (await tx.webhookEndpoint.count({ where: { projectId, isEnabled: true } })) > 0;
  if (isHeard === tellsChanges) return;
  await tx.project.update({ where: { id: projectId }, data: { tellsChanges: isHeard } });
}

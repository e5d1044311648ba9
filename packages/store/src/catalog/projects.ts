import { patchPolicy, policyOverrides, ServiceError } from '@billing/domain';
import type { CreateProjectRequest, PatchProjectRequest } from '@billing/domain';
import { writeAudit } from '../audit/write-audit.ts';
import type { Actor } from '../audit/write-audit.ts';
import { changeProject, projectNotFound } from '../change-user.ts';
import type { Changed } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import type { Project } from '../generated/client.ts';
import { decodeCursor, idKey, toPage } from '../page.ts';
import type { Page, PageRequest } from '../page.ts';
import { retryOnDeadlock } from '../retry-on-deadlock.ts';
import { releaseForProject } from '../customers/release-quarantine.ts';

export type { Project } from '../generated/client.ts';

/** Throws `project_exists`. Objects that name this project as theirs were waiting for it. */
export async function createProject(
  database: Database,
  request: CreateProjectRequest,
  actor: Actor,
): Promise<Changed<Project>> {
  const { project_id: id, name, description = null } = request;
  const changed = await retryOnDeadlock(() =>
    database.$transaction(async (tx) => {
      const { count } = await tx.project.createMany({
        data: [{ id, name, description }],
        skipDuplicates: true,
      });
      if (count === 0) throw new ServiceError('project_exists', 'Choose another project_id.');
      await writeAudit(tx, {
        actor,
        action: 'project.create',
        projectId: id,
        target: { type: 'project', id },
        details: { name, description },
      });
      const pending = await releaseForProject(tx, id);
      return { result: await tx.project.findUniqueOrThrow({ where: { id } }), pending };
    }),
  );
  // Once more: an object that came in between was recorded without seeing the project.
  const late = await retryOnDeadlock(() => database.$transaction((tx) => releaseForProject(tx, id)));
  return { result: changed.result, pending: [...changed.pending, ...late] };
}

/** Throws `project_not_found`. */
export async function getProject(database: Queries, id: string): Promise<Project> {
  const project = await database.project.findUnique({ where: { id } });
  if (project === null) throw projectNotFound();
  return project;
}

export async function listProjects(
  database: Database,
  { limit, cursor }: PageRequest,
): Promise<Page<Project>> {
  const rows = await database.project.findMany({
    where: cursor === undefined ? {} : { id: { gt: decodeCursor(idKey, cursor)[0] } },
    orderBy: { id: 'asc' },
    take: limit + 1,
  });
  return toPage(rows, limit, (row) => [row.id]);
}

/** What is absent in `patch` stays; a `null` in its policy resets that field. Throws `project_not_found`. */
export async function patchProject(
  database: Database,
  { id, patch, actor }: { id: string; patch: PatchProjectRequest; actor: Actor },
): Promise<Changed<Project>> {
  return changeProject(database, id, async (tx) => {
    const before = await getProject(tx, id);
    const overrides = policyOverrides.parse(before.policy);
    const policy = patch.policy === undefined ? overrides : patchPolicy(overrides, patch.policy);
    const result = await tx.project.update({
      where: { id },
      data: {
        policy,
        ...(patch.name === undefined ? {} : { name: patch.name }),
        ...(patch.description === undefined ? {} : { description: patch.description }),
        ...(patch.is_active === undefined ? {} : { isActive: patch.is_active }),
        ...(patch.redirect_origins === undefined ? {} : { redirectOrigins: patch.redirect_origins }),
      },
    });
    const details = { before: summary(before), after: summary(result) };
    await writeAudit(tx, {
      actor,
      action: 'project.update',
      projectId: id,
      target: { type: 'project', id },
      details,
    });
    return { result, changed: patch.policy !== undefined };
  });
}

const summary = (project: Project) => ({
  name: project.name,
  description: project.description,
  is_active: project.isActive,
  policy: policyOverrides.parse(project.policy),
  redirect_origins: project.redirectOrigins,
});

import {
  checkoutDefaults,
  patchCheckoutDefaults,
  patchPolicy,
  policyOverrides,
  resolvePolicy,
  ServiceError,
} from '@billing/domain';
import type {
  CheckoutDefaults,
  CreateProjectRequest,
  PatchProjectRequest,
  PolicyOverrides,
} from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { changeProject, isSame, projectNotFound } from '../change-user.ts';
import type { Changed } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import { noteHolders } from '../dry-run.ts';
import type { Project } from '../generated/client.ts';
import { given } from '../given.ts';
import { afterId, toPage } from '../page.ts';
import type { Page, PageRequest } from '../page.ts';
import { releaseAgain, releaseForProject, releaseHints } from '../customers/release-quarantine.ts';
import { discardDeliveries } from '../webhooks/discard-deliveries.ts';
import { startTelling, stopTelling } from '../webhooks/start-telling.ts';

export type { Project } from '../generated/client.ts';

/** Creates a project and releases the objects that name it as theirs. Throws `project_exists`. */
export async function createProject(
  database: Database,
  request: CreateProjectRequest,
  actor: Actor,
): Promise<Changed<Project>> {
  const { project_id: id, name, description = null } = request;
  const changed = await database.$transaction(async (tx) => {
    const { count } = await tx.project.createMany({
      data: [{ id, name, description }],
      skipDuplicates: true,
    });
    if (count === 0) throw new ServiceError('project_exists', 'Choose another project_id.');
    const pending = await releaseForProject(tx, id);
    await writeAudit(tx, {
      actor,
      action: 'project.create',
      projectId: id,
      target: { type: 'project', id },
      change: { before: null, after: { name, description } },
    });
    return { result: await tx.project.findUniqueOrThrow({ where: { id } }), pending };
  });
  const late = await releaseAgain(database, (tx) => releaseForProject(tx, id));
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
  { limit, cursor, onlyProject = null }: PageRequest & { onlyProject?: string | null },
): Promise<Page<Project>> {
  const rows = await database.project.findMany({
    where: { AND: [{ id: afterId(cursor) }, onlyProject === null ? {} : { id: onlyProject }] },
    orderBy: { id: 'asc' },
    take: limit + 1,
  });
  return toPage(rows, limit, (row) => [row.id]);
}

export const checkoutDefaultsOf = (project: Project): CheckoutDefaults =>
  checkoutDefaults.parse(project.checkoutDefaults);

const acceptsHints = ({ policy }: Pick<Project, 'policy'>): boolean =>
  policyOverrides.parse(policy).accept_buyer_hints !== 'quarantine';

/** What waits to be told is not, and nothing more is noted. */
async function stopProject(tx: Queries, projectId: string): Promise<void> {
  await discardDeliveries(tx, { projectId });
  await stopTelling(tx, projectId);
}

type ProjectPatch = {
  id: string;
  patch: PatchProjectRequest;
  actor: Actor;
  /** Of projects whose policy does not say it. */
  pastDueGraceDays: number;
};

/**
 * What is absent in `patch` stays; a `null` in its policy resets that field. Access follows the policy at each read; where
 * hints are accepted again, the events that waited for that count. Throws `project_not_found`, and `invalid_request` for
 * defaults of checkout that exclude each other.
 */
export async function patchProject(
  database: Database,
  { id, patch, actor, pastDueGraceDays }: ProjectPatch,
): Promise<Changed<Project>> {
  const inForce = (overrides: PolicyOverrides) => resolvePolicy(overrides, pastDueGraceDays);
  const changed = await changeProject(database, id, async (tx) => {
    const before = await getProject(tx, id);
    const overrides = policyOverrides.parse(before.policy);
    const policy = patch.policy === undefined ? overrides : patchPolicy(overrides, patch.policy);
    const result = await tx.project.update({
      where: { id },
      data: {
        policy,
        name: given(patch.name),
        description: given(patch.description),
        isActive: given(patch.is_active),
        redirectOrigins: given(patch.redirect_origins),
        portalConfiguration: given(patch.portal_configuration),
        ...(patch.checkout_defaults === undefined
          ? {}
          : { checkoutDefaults: patchCheckoutDefaults(checkoutDefaultsOf(before), patch.checkout_defaults) }),
      },
    });
    if (result.isActive !== before.isActive)
      await (result.isActive ? startTelling(tx, id) : stopProject(tx, id));
    await writeAudit(tx, {
      actor,
      action: 'project.update',
      projectId: id,
      target: { type: 'project', id },
      change: { before: summary(before), after: summary(result) },
    });
    if (result.isActive !== before.isActive) noteHolders(tx, { projectId: id });
    const mayRelease = acceptsHints(result) && !acceptsHints(before);
    const released = mayRelease ? await releaseHints(tx, id) : [];
    return {
      result: { project: result, mayRelease, released },
      // A field that is set to what it is by default changes nobody's answer.
      changed: isSame(inForce(overrides), inForce(policy)) ? null : {},
      cause: 'policy',
    };
  });
  const { project, mayRelease, released } = changed.result;
  const late = mayRelease ? await releaseAgain(database, (tx) => releaseHints(tx, id)) : [];
  return { result: project, pending: [...changed.pending, ...released, ...late] };
}

const summary = (project: Project) => ({
  name: project.name,
  description: project.description,
  is_active: project.isActive,
  policy: policyOverrides.parse(project.policy),
  redirect_origins: project.redirectOrigins,
  ...(Object.keys(checkoutDefaultsOf(project)).length === 0
    ? {}
    : { checkout_defaults: checkoutDefaultsOf(project) }),
  ...(project.portalConfiguration === null ? {} : { portal_configuration: project.portalConfiguration }),
});

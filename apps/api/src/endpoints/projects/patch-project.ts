import { patchProjectRequest, projectOut } from '@billing/domain';
import { patchProject as patchRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { beginTelling } from '../webhook-endpoints/begin-telling.ts';
import { publishChange } from '../publish-change.ts';
import { presentProject, projectExample } from './project.ts';

export const patchProject = defineEndpoint({
  method: 'patch',
  path: '/api/v1/admin/projects/{project_id}',
  operationId: 'patchProject',
  tag: 'Projects',
  summary: 'Change a project',
  description:
    'What is absent stays. `policy` is merged; `null` resets one of its fields to the default; so are `checkout_defaults`. An empty `redirect_origins` allows every https address.',
  access: { admin: 'admin' },
  takesDryRun: true,
  body: {
    schema: patchProjectRequest,
    example: {
      is_active: true,
      policy: { past_due_grace_days: 14, unpaid: null },
      redirect_origins: ['https://app.example.com'],
      checkout_defaults: { allow_promotion_codes: true },
    },
  },
  answers: [{ status: 200, description: 'Changed.', schema: projectOut, example: projectExample }],
  errors: ['project_not_found'],
  handle: async (deps, { params, body: patch, actor }) => {
    const { pastDueGraceDays } = deps.config;
    const changed = await patchRow(deps.database, { id: params.project_id, patch, actor, pastDueGraceDays });
    if (patch.is_active !== undefined) await deps.keys.switchProject(params.project_id, patch.is_active);
    if (patch.is_active === true && patch.dry_run !== true) await beginTelling(deps, params.project_id);
    return { body: presentProject(await publishChange(deps, changed), deps.config) };
  },
});

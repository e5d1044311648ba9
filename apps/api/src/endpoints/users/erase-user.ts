import { eraseRequest, runAccepted } from '@billing/domain';
import { eraseUser as erase } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { publishChange } from '../publish-change.ts';
import { announceRun } from '../runs/announce-run.ts';

export const eraseUser = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/users/erase',
  operationId: 'eraseUser',
  tag: 'Access',
  summary: 'Erase a user',
  description:
    'All that the user has goes at once; a run of the worker takes the id out of everything else that names the user. Late events bring nobody back, a later checkout, grant or mapping does. A user whom nobody knows is erased as well. Needs `ERASURE_KEY`.',
  access: { admin: 'admin', limitedBy: 'body' },
  takesDryRun: true,
  body: {
    schema: eraseRequest,
    example: { project_id: 'shop', user_id: 'user_1', reason: 'Asked for it, case 4711' },
  },
  answers: [
    {
      status: 202,
      description: 'Erased; the run does the rest.',
      schema: runAccepted,
      example: { run_id: 'run_5b1e' },
    },
  ],
  errors: ['project_not_found', 'has_live_subscription', 'erasure_not_configured'],
  handle: async (deps, { body, actor }) => {
    const { project_id: projectId, user_id: userId, reason, stripe } = body;
    const order = { projectId, userId, reason, isAtStripe: stripe };
    const erased = await publishChange(deps, await erase(deps.database, deps.erasureKeys, { order, actor }));
    await announceRun(deps, 'erase', erased.runId);
    return { body: { run_id: erased.runId } };
  },
});

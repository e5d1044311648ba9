import { readyResponse } from '@billing/domain';
import { readinessAnswer } from '@billing/platform';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { checkReadiness } from '../../operations/readiness.ts';

export const ready = defineEndpoint({
  method: 'get',
  path: '/ready',
  operationId: 'getReadiness',
  tag: 'Operations',
  summary: 'Whether the process should be sent requests',
  access: 'open',
  answers: [
    {
      status: 200,
      description:
        'It should; with `degraded`, `checks` names a trouble in which the process still does its work.',
      schema: readyResponse,
      example: { status: 'ready', checks: { database: 'ok', redis: 'ok' } },
    },
    {
      status: 503,
      description: 'It should not; `checks` says why.',
      schema: readyResponse,
      example: { status: 'not ready', checks: { database: 'unreachable', redis: 'ok' } },
    },
  ],
  errors: [],
  handle: async (deps) => {
    return readinessAnswer(await checkReadiness(deps));
  },
});

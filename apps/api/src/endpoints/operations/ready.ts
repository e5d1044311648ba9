import { readyResponse } from '@billing/domain';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { checkReadiness } from '../../operations/readiness.ts';

export const ready = defineEndpoint({
  method: 'get',
  path: '/ready',
  operationId: 'ready',
  tag: 'Operations',
  summary: 'Whether the process should be sent requests',
  access: 'open',
  answers: [
    {
      status: 200,
      description: 'It should.',
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
    const { isReady, checks } = await checkReadiness(deps);
    if (isReady) return { body: { status: 'ready' as const, checks } };
    return { status: 503, body: { status: 'not ready' as const, checks } };
  },
});

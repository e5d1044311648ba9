import { readyResponse } from '@billing/domain';
import { defineEndpoint } from '../../http/define-endpoint.ts';

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
        'It should. `degraded`: a dependency is away or refuses writes; what needs it answers 503 by itself. Or `checks` names a trouble in which all works.',
      schema: readyResponse,
      example: { status: 'ready', checks: { database: 'ok', redis: 'ok' } },
    },
    {
      status: 503,
      description: 'It should not; `checks` says why.',
      schema: readyResponse,
      example: {
        status: 'not ready',
        checks: {
          database: 'migration 20261123000000_initial is missing: run npm run db:migrate',
          redis: 'ok',
        },
      },
    },
  ],
  errors: [],
  handle: ({ readiness }) => readiness.ask(),
});

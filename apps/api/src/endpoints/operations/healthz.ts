import { healthResponse } from '@billing/domain';
import { defineEndpoint } from '../../http/define-endpoint.ts';

export const healthz = defineEndpoint({
  method: 'get',
  path: '/healthz',
  operationId: 'getStatus',
  tag: 'Operations',
  summary: 'Whether the process answers',
  access: 'open',
  answers: [{ status: 200, description: 'It does.', schema: healthResponse, example: { status: 'healthy' } }],
  errors: [],
  handle: () => ({ body: { status: 'healthy' as const } }),
});

import { liveResponse } from '@billing/domain';
import { defineEndpoint } from '../../http/define-endpoint.ts';

export const live = defineEndpoint({
  method: 'get',
  path: '/live',
  operationId: 'getLiveness',
  tag: 'Operations',
  summary: 'Whether the process is alive',
  access: 'open',
  answers: [{ status: 200, description: 'It is.', schema: liveResponse, example: { status: 'alive' } }],
  errors: [],
  handle: () => ({ body: { status: 'alive' as const } }),
});

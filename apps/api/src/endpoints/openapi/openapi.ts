import { z } from 'zod';
import { defineEndpoint } from '../../http/define-endpoint.ts';

export const openapi = defineEndpoint({
  method: 'get',
  path: '/openapi.json',
  operationId: 'getOpenApiDocument',
  tag: 'Operations',
  summary: 'This description',
  access: 'open',
  answers: [{ status: 200, description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) }],
  errors: [],
  handle: ({ apiDescription }) => ({ text: apiDescription.json }),
});

import { healthResponse, liveResponse, readyResponse } from '@billing/domain';
import { z } from 'zod';
import type { Endpoint } from '../endpoint.ts';

const base = { method: 'get', tag: 'Operations', access: 'open', errors: [] } as const;

export const operationsEndpoints: readonly Endpoint[] = [
  {
    ...base,
    path: '/healthz',
    operationId: 'healthz',
    summary: 'Whether the process answers',
    answers: [
      { status: 200, description: 'It does.', schema: healthResponse, example: { status: 'healthy' } },
    ],
  },
  {
    ...base,
    path: '/live',
    operationId: 'live',
    summary: 'Whether the process is alive',
    answers: [{ status: 200, description: 'It is.', schema: liveResponse, example: { status: 'alive' } }],
  },
  {
    ...base,
    path: '/ready',
    operationId: 'ready',
    summary: 'Whether the process should be sent requests',
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
  },
  {
    ...base,
    path: '/metrics',
    operationId: 'metrics',
    summary: 'Metrics for Prometheus',
    access: 'metrics',
    answers: [{ status: 200, description: "Prometheus' text format.", contentType: 'text/plain' }],
  },
  {
    ...base,
    path: '/openapi.json',
    operationId: 'openapi',
    summary: 'This description',
    answers: [
      {
        status: 200,
        description: 'OpenAPI 3.1.',
        schema: z.looseObject({ openapi: z.string() }),
      },
    ],
  },
  {
    ...base,
    path: '/docs',
    operationId: 'docs',
    summary: 'This description for people',
    answers: [{ status: 200, description: 'A page.', contentType: 'text/html' }],
  },
  {
    ...base,
    path: '/admin/queues',
    operationId: 'queues',
    summary: 'The queues, for operators',
    description: 'A screen for the browser: what waits, runs and failed. Read-only.',
    access: 'operator',
    answers: [{ status: 200, description: 'A page.', contentType: 'text/html' }],
  },
];

import type { ErrorCode } from '@billing/domain';
import type { z } from 'zod';
import type { JsonObject } from './json-schema.ts';

/** Who may call: a project with its key, an administrator, Stripe (signed), a scraper, or anybody. */
export type Access = 'project' | 'admin' | 'stripe' | 'metrics' | 'operator' | 'open';

export type Answer = {
  status: number;
  description: string;
  /** Absent: no body, or text of `contentType`. */
  schema?: z.ZodType;
  /** Default: application/json. */
  contentType?: string;
  example?: unknown;
  /** Besides `x-request-id`; always there. */
  headers?: Readonly<Record<string, { description: string; schema: JsonObject }>>;
};

/** A request header that means something to this endpoint. */
export type Header = {
  name: string;
  description: string;
  pattern: string;
  isRequired: boolean;
  example: string;
};

/** One call of the API as it is described to its users; parameters in the path are identifiers. */
export type Endpoint = {
  method: 'get' | 'post' | 'patch' | 'delete';
  /** With parameters in braces. */
  path: string;
  operationId: string;
  tag: Tag;
  summary: string;
  description?: string;
  access: Access;
  query?: z.ZodObject;
  headers?: readonly Header[];
  body?: { schema: z.ZodType; example: unknown };
  answers: readonly Answer[];
  /** Besides those of every endpoint and of its kind of access. */
  errors: readonly ErrorCode[];
};

export const tags = {
  Entitlements:
    'What may this user do? Asked on every guarded action, answered from a cache that knows every change.',
  Selling: "Send a user to Stripe's pages: to buy, and to manage what was bought.",
  Metrics: 'Numbers of one project.',
  Webhooks: 'What Stripe calls.',
  Projects: 'Admin: projects and their API keys.',
  Catalog: 'Admin: products with their features, prices, and whose Stripe customer is whose.',
  Access: 'Admin: features given and taken by hand.',
  Records: "Admin: what became of each of Stripe's events, and who did what.",
  Maintenance: 'Admin: compare with Stripe, repair, process again.',
  Operations: 'Health, metrics, descriptions.',
} as const;
export type Tag = keyof typeof tags;

/** Errors that any endpoint can answer with. */
export const commonErrors = ['request_timeout', 'request_header_too_large', 'internal_error'] as const;

const errorsOfAccess: Record<Access, readonly ErrorCode[]> = {
  project: [
    'missing_api_key',
    'invalid_api_key',
    'insufficient_scope',
    'project_inactive',
    'rate_limited',
    'service_unavailable',
  ],
  admin: ['missing_api_key', 'invalid_api_key', 'rate_limited', 'service_unavailable'],
  stripe: ['invalid_signature'],
  metrics: ['missing_api_key', 'invalid_api_key'],
  operator: ['missing_api_key', 'invalid_api_key', 'rate_limited'],
  open: [],
};

/** Every code with which this endpoint may refuse. */
export function errorsOf(endpoint: Endpoint): ErrorCode[] {
  const takesInput = endpoint.query !== undefined || endpoint.path.includes('{');
  return [
    ...new Set<ErrorCode>([
      ...(takesInput ? (['invalid_request'] as const) : []),
      ...(endpoint.body === undefined ? [] : (['payload_too_large', 'unsupported_media_type'] as const)),
      ...(endpoint.body === undefined || endpoint.access === 'stripe' ? [] : (['invalid_request'] as const)),
      ...errorsOfAccess[endpoint.access],
      ...endpoint.errors,
      ...commonErrors,
    ]),
  ];
}

import type { ErrorCode } from '@billing/domain';
import { httpStatusOf } from '../http/problem.ts';
import type { JsonObject } from './json-schema.ts';

const seconds = { type: 'integer', minimum: 1 };

/** The headers of answers that several calls share, for the document's components. */
export const answerHeaders = {
  'x-request-id': {
    description:
      "Names this request in our logs: the caller's own `x-request-id` if it is sane, else a new one.",
    required: true,
    schema: { type: 'string', pattern: String.raw`^[A-Za-z0-9_.:\-]{1,128}$` },
  },
  'Retry-After': {
    description: 'How many seconds to wait before sending the request again.',
    required: true,
    schema: seconds,
  },
  'WWW-Authenticate': {
    description: '`Bearer`; where a browser is to ask for a name and its secret, `Basic`.',
    required: true,
    schema: { type: 'string', pattern: '^(?:Bearer$|Basic realm=)' },
  },
  Allow: {
    description: 'The methods of this address.',
    required: true,
    schema: { type: 'string', pattern: '^[A-Z]+(?:, [A-Z]+)*$' },
  },
} satisfies Record<string, JsonObject>;

const referenceTo = (name: keyof typeof answerHeaders): JsonObject => ({
  [name]: { $ref: `#/components/headers/${name}` },
});

/** The header of every answer. */
export const requestIdReference = referenceTo('x-request-id');

/** The headers of a refusal with one of these codes, which share a status. */
export function refusalHeaders(codes: readonly ErrorCode[]): JsonObject {
  const statuses = new Set(codes.map(httpStatusOf));
  // Stripe's signature is no log-in that could be asked for.
  const asksWho = statuses.has(401) && !codes.includes('invalid_signature');
  return {
    ...requestIdReference,
    ...(asksWho ? referenceTo('WWW-Authenticate') : {}),
    ...(statuses.has(405) ? referenceTo('Allow') : {}),
    ...(statuses.has(429) || statuses.has(503) ? referenceTo('Retry-After') : {}),
    ...(codes.includes('idempotency_in_progress')
      ? {
          'Retry-After': {
            description: 'With `idempotency_in_progress`: how many seconds to wait.',
            schema: seconds,
          },
        }
      : {}),
  };
}

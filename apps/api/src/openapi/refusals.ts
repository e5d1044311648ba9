import { errorCatalog, ServiceError } from '@billing/domain';
import type { ErrorCode } from '@billing/domain';
import { httpStatusOf, toProblem } from '../http/problem.ts';
import { errorCodes, errorGuide } from './error-guide.ts';
import type { JsonObject } from './json-schema.ts';

/** What is answered where there is no operation: to an unknown address and to a wrong method. */
export const codesOfNoOperation: readonly ErrorCode[] = ['method_not_allowed', 'route_not_found'];

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
} satisfies Record<string, JsonObject>;

/** Of one refusal alone. */
const allowHeader = {
  description: 'The methods of this address.',
  required: true,
  schema: { type: 'string', pattern: '^[A-Z]+(?:, [A-Z]+)*$' },
};

const referenceTo = (name: keyof typeof answerHeaders): JsonObject => ({
  [name]: { $ref: `#/components/headers/${name}` },
});

/** The header of every answer. */
export const requestIdReference = referenceTo('x-request-id');

/** The headers of a refusal with one of these codes, which share a status. */
function refusalHeaders(codes: readonly ErrorCode[]): JsonObject {
  const statuses = new Set(codes.map(httpStatusOf));
  // A missing signature of Stripe is no reason to ask for a log-in.
  const asksForLogin = statuses.has(401) && !codes.includes('invalid_signature');
  return {
    ...requestIdReference,
    ...(asksForLogin ? referenceTo('WWW-Authenticate') : {}),
    ...(statuses.has(405) ? { Allow: allowHeader } : {}),
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

const exampleRequestId = '0b9d4c0e-6f0e-4d39-9a44-2f5c1d0f3a10';

/** One example per error code of an operation, for the document's components. */
export const problemExamples = (): JsonObject =>
  Object.fromEntries(
    errorCodes
      .filter((code) => !codesOfNoOperation.includes(code))
      .map((code) => [
        code,
        {
          summary: errorCatalog[code],
          description: errorGuide[code],
          value: toProblem(new ServiceError(code, errorGuide[code]), exampleRequestId),
        },
      ]),
  );

/**
 * The answers for these codes, by status, as references; what they refer to is put into `responses`, once for
 * all operations that refuse alike.
 */
export function toRefusals(codes: readonly ErrorCode[], responses: JsonObject): JsonObject {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes.toSorted()) {
    const status = httpStatusOf(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => {
      const name = group.join('.');
      responses[name] ??= toRefusal(group);
      return [String(status), { $ref: `#/components/responses/${name}` }];
    }),
  );
}

/** The answer for these codes, which share a status. */
export function toRefusal(codes: readonly ErrorCode[]): JsonObject {
  return {
    description: codes.map((code) => `\`${code}\`: ${errorGuide[code]}`).join('\n\n'),
    'x-error-codes': codes,
    headers: refusalHeaders(codes),
    content: {
      'application/problem+json': {
        // One error type for generated clients; which codes it can have stands in the extension.
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  };
}

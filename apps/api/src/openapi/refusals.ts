import { errorCatalog, ServiceError } from '@billing/domain';
import type { ErrorCode } from '@billing/domain';
import { httpStatusOf, toProblem } from '../http/problem.ts';
import { errorCodes, errorGuide } from './error-guide.ts';
import { refusalHeaders } from './answer-headers.ts';
import type { JsonObject } from './json-schema.ts';

const exampleRequestId = '0b9d4c0e-6f0e-4d39-9a44-2f5c1d0f3a10';

/** One example per error code, for the document's components. */
export const problemExamples = (): JsonObject =>
  Object.fromEntries(
    errorCodes.map((code) => [
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

function toRefusal(codes: readonly ErrorCode[]): JsonObject {
  return {
    description: codes.map((code) => `\`${code}\`: ${errorGuide[code]}`).join('\n\n'),
    headers: refusalHeaders(codes),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: codes } } }],
        },
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  };
}

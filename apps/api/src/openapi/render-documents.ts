import { errorCatalog } from '@billing/domain';
import type { ErrorCode } from '@billing/domain';
import type { Endpoint } from '../http/define-endpoint.ts';
import { errorsOf } from '../http/endpoint-errors.ts';
import { httpStatusOf } from '../http/problem.ts';
import { createOpenApiDocument } from './create-document.ts';
import { errorCodes, errorGuide } from './error-guide.ts';

const intro = `# API errors

Every error is \`application/problem+json\` (RFC 9457):

\`\`\`json
{
  "type": "urn:billing:problem:price_not_found",
  "title": "The price does not exist",
  "status": 404,
  "detail": "Use the id of one of this project's prices, ours or Stripe's.",
  "code": "price_not_found",
  "request_id": "0b9d4c0e-6f0e-4d39-9a44-2f5c1d0f3a10"
}
\`\`\`

Decide by \`code\`: it is stable, and every word below is the whole list. \`detail\` says what to do in this case;
\`errors\`, with \`invalid_request\` and whatever else concerns a field, names the fields:
\`[{ "path": "user_ids.3", "message": "must not be empty" }]\`. With \`already_subscribed\` and \`group_occupied\` the message is the id of the
subscription that the user has. With \`payment_required\` comes \`hosted_invoice_url\`.
\`request_id\` finds the request in our logs. The last column names the operations of the API description (\`docs/openapi.json\`)
that answer with a code; each operation lists its own in \`x-error-codes\`.

Send the same request again only after 408, 429 and 503, and not before \`Retry-After\` (seconds) where it is given; once
more after 500. 502 \`stripe_error\` stays until its cause is corrected, and \`idempotency_in_progress\` is the one 409 that
passes by itself. A checkout and a change of a subscription are safe to repeat with their \`Idempotency-Key\`.

`;

/** Which calls answer with a code: as the document says in their `x-error-codes`. */
function callersOf(code: ErrorCode, endpoints: readonly Endpoint[]): string {
  const callers = endpoints.filter((endpoint) => errorsOf(endpoint).includes(code));
  if (callers.length === 0) return 'any address';
  if (callers.length === endpoints.length) return 'all';
  if (callers.length > endpoints.length / 2) return 'most';
  return callers.map(({ operationId }) => `\`${operationId}\``).join(', ');
}

/** The page about errors, from the catalog and the endpoints. */
export function renderErrorsPage(endpoints: readonly Endpoint[]): string {
  const rows = errorCodes
    .map((code) => ({ code, status: httpStatusOf(code) }))
    .sort((one, other) => one.status - other.status)
    .map(({ code, status }) => [
      status,
      `\`${code}\``,
      `${errorCatalog[code]}.`,
      errorGuide[code],
      callersOf(code, endpoints),
    ])
    .map((cells) => `| ${cells.join(' | ')} |`);
  return `${intro}| status | code | means | what to do | calls |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

/** The files in docs/ that are made from the code, by name; written by `npm run openapi`. */
export const renderDocuments = (endpoints: readonly Endpoint[]): Record<string, string> => ({
  'openapi.json': `${JSON.stringify(createOpenApiDocument(endpoints), null, 2)}\n`,
  'api-errors.md': renderErrorsPage(endpoints),
});

import { id, problemOut } from '@billing/domain';
import type { ErrorCode } from '@billing/domain';
import { z } from 'zod';
import { accessKindOf, answersOf, pathParameterNames, tags } from '../http/define-endpoint.ts';
import type { Answer, Endpoint } from '../http/define-endpoint.ts';
import { errorsOf } from '../http/endpoint-errors.ts';
import { toJsonSchema } from './json-schema.ts';
import type { JsonObject, SchemaOptions } from './json-schema.ts';
import {
  answerHeaders,
  codesOfNoOperation,
  problemExamples,
  requestIdReference,
  toRefusals,
} from './refusals.ts';
import { securityOf, securitySchemes } from './security.ts';
import { describeWebhooks } from './webhooks.ts';

const intro = `One Stripe account, many products, one answer to "what may this user do?".

**Start.** An administrator creates a project, a key, products with feature codes and prices. The product's backend asks
\`GET /api/v1/entitlements\`, sells with \`POST /api/v1/checkout/create\`, and Stripe calls the webhook.

**Keys.** Project endpoints take \`Authorization: Bearer <project API key>\`, those under \`/api/v1/admin\` an admin secret.
Each project call states the scope that its key must have (\`x-scope\`): \`read\`, \`checkout\` or \`usage\`; keys have all unless made otherwise.
Each admin call states its least role (\`x-role\`): \`viewer\`, \`operator\` or \`admin\`. A name that is limited to a project meets
no other project: its objects are 404, and calls on all projects 403 \`insufficient_role\`.

**Errors** are \`application/problem+json\` (RFC 9457). Decide by \`code\`; \`detail\` says what to do. Besides the errors listed
with a call, every unknown address is 404 \`route_not_found\` and every wrong method 405 \`method_not_allowed\` with \`Allow\`.

**Dry runs.** An admin call that changes something takes \`dry_run: true\` in its body (\`DELETE\`: \`?dry_run=true\`) and then answers
200 with what would change, and how many users it concerns; nothing changes, and it is refused as the call itself.

**Requests** are read strictly: a field or query parameter that is not described, a query parameter that is sent twice, and
any query of a call that changes something are 400 \`invalid_request\`. Text is well-formed Unicode: half a surrogate pair is refused.

**Lists** answer \`{ "data": […], "next_cursor": … }\`: send \`next_cursor\` as \`cursor\` for the next page, until it is null.

**Webhooks to products** tell what has changed (\`webhooks\` in this document): verify the signature, keep the greatest \`version\`
of each user, answer 2xx for less.

**Times** are RFC 3339 in UTC. Every answer carries \`x-request-id\`; new fields may come at any time.`;

/** The description of the whole API, OpenAPI 3.1, from the schemas that validate. */
export function createOpenApiDocument(
  endpoints: readonly Endpoint[],
  { isClosed = false }: { isClosed?: boolean } = {},
): JsonObject {
  const components: JsonObject = {};
  const toSchema = (io: SchemaOptions['io']) => ({ io, isClosed, components });
  toJsonSchema(problemOut, toSchema('output'));
  const responses: JsonObject = {};
  const paths: Record<string, JsonObject> = {};
  for (const endpoint of endpoints) {
    const operations = (paths[endpoint.path] ??= {});
    operations[endpoint.method] = toOperation(endpoint, { toSchema, responses });
  }
  const webhooks = describeWebhooks(toSchema('output'));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Billing and entitlements',
      version: '1',
      description: intro,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    'x-error-codes': codesOfNoOperation,
    servers: [{ url: '/' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    webhooks,
    components: {
      schemas: byName(components),
      responses: byName(responses),
      examples: problemExamples(),
      headers: answerHeaders,
      securitySchemes,
    },
  };
}

type ToSchema = (io: SchemaOptions['io']) => SchemaOptions;
type Parts = { toSchema: ToSchema; responses: JsonObject };

function toOperation(endpoint: Endpoint, { toSchema, responses }: Parts): JsonObject {
  const { operationId, tag, summary, description, body } = endpoint;
  const parameters = operationParameters(endpoint, toSchema('input'));
  const codes = errorsOf(endpoint).toSorted();
  return {
    operationId,
    tags: [tag],
    summary,
    description: [description, ...accessSentences(endpoint), errorSentence(codes)]
      .filter((part) => part !== undefined)
      .join('\n\n'),
    'x-error-codes': codes,
    ...accessOf(endpoint),
    security: securityOf[accessKindOf(endpoint)],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: !body.schema.safeParse({}).success,
            content: {
              'application/json': {
                schema: toJsonSchema(body.schema, toSchema('input')),
                example: body.example,
              },
            },
          },
        }),
    responses: { ...toAnswers(endpoint, toSchema), ...toRefusals(codes, responses) },
  };
}

function accessOf({ access }: Endpoint): JsonObject {
  if (typeof access === 'string') return {};
  return 'project' in access ? { 'x-scope': access.project } : { 'x-role': access.admin };
}

/** The scope of a project's call; the least role of an admin call, and what a name that is limited to a project may do with it. */
function accessSentences({ access, path }: Endpoint): string[] {
  if (typeof access === 'string') return [];
  if ('project' in access) return [`Scope of the key: \`${access.project}\`.`];
  const ofProject = access.limitedBy !== undefined || path.includes('{project_id}');
  return [
    `Least role: \`${access.admin}\`.${ofProject ? '' : ' Not for names that are limited to a project.'}`,
  ];
}

const errorSentence = (codes: readonly ErrorCode[]): string =>
  `Error codes: ${codes.map((code) => `\`${code}\``).join(', ')}.`;

/** What an operation takes in its path, query and headers. */
function operationParameters(endpoint: Endpoint, options: SchemaOptions): JsonObject[] {
  const inPath = pathParameterNames(endpoint.path).map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: toJsonSchema(id, options),
  }));
  const inQuery = Object.entries(endpoint.query?.shape ?? {}).map(([name, schema]) =>
    toQueryParameter(name, schema, options),
  );
  const inHeader = (endpoint.headers ?? []).map(({ name, description, pattern, isRequired, example }) => ({
    name,
    in: 'header',
    required: isRequired,
    description,
    schema: { type: 'string', pattern },
    example,
  }));
  return [...inPath, ...inQuery, ...inHeader];
}

function toQueryParameter(name: string, schema: unknown, options: SchemaOptions): JsonObject {
  if (!(schema instanceof z.ZodType)) throw new TypeError(`the query parameter ${name} has no schema`);
  const { description, ...described } = toJsonSchema(schema, options);
  return {
    name,
    in: 'query',
    required: !schema.safeParse(undefined).success,
    ...(description === undefined ? {} : { description }),
    schema: described,
  };
}

const asOfHeader = {
  'x-data-as-of': {
    description:
      'The answer comes from a replica and has every change until then. Absent: it is of now, as with `cache-control: no-cache`.',
    schema: { type: 'string', format: 'date-time' },
  },
};

function toAnswers(endpoint: Endpoint, toSchema: ToSchema): JsonObject {
  const more = endpoint.readsReplica === true ? asOfHeader : {};
  return Object.fromEntries(
    answersOf(endpoint).map((answer) => [String(answer.status), toAnswer(answer, toSchema, more)]),
  );
}

function toAnswer(
  { description, schema, contentType, example, headers }: Answer,
  toSchema: ToSchema,
  more: JsonObject,
): JsonObject {
  const named = Object.entries(headers ?? {}).map(([name, header]) => [name, { ...header, required: true }]);
  const media =
    schema === undefined
      ? { schema: { type: 'string' } }
      : { schema: toJsonSchema(schema, toSchema('output')), ...(example === undefined ? {} : { example }) };
  const hasBody = schema !== undefined || contentType !== undefined;
  return {
    description,
    headers: { ...requestIdReference, ...more, ...Object.fromEntries(named) },
    ...(hasBody ? { content: { [contentType ?? 'application/json']: media } } : {}),
  };
}

const byName = (parts: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(parts).sort(([one], [other]) => (one < other ? -1 : 1)));

import { readFile } from 'node:fs/promises';
import { errorCatalog, webhookMessage, webhookMessageTypes } from '@billing/domain';
import { z } from 'zod';
import { createApp, endpoints } from '../app.ts';
import { errorsOf } from '../http/endpoint-errors.ts';
import { startTestApi, testAdmin } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';
import { createSchemaCheck } from '../testing/schema-check.test-support.ts';
import { createOpenApiDocument } from './create-document.ts';
import { codesOfNoOperation } from './refusals.ts';
import { renderDocuments } from './render-documents.ts';
import { webhookOperationIds } from './webhooks.ts';

describe('docs/ agrees with the code (else: npm run openapi)', () => {
  test.each(Object.entries(renderDocuments(endpoints)))('%s', async (name, text) => {
    expect(await readFile(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8')).toBe(text);
  });
});

describe('every error code', () => {
  const pages = renderDocuments(endpoints);
  test.each(Object.keys(errorCatalog))(
    '%s is on the errors page and at the calls that answer with it',
    (code) => {
      expect(pages['api-errors.md']).toContain(`\`${code}\` |`);
      const callers = endpoints.filter((endpoint) => errorsOf(endpoint).some((known) => known === code));
      expect(callers.length > 0).toBe(!codesOfNoOperation.some((other) => other === code));
    },
  );
});

describe('the description', () => {
  const check = createSchemaCheck(createOpenApiDocument(endpoints, { isClosed: true }));

  test.each(endpoints.map((endpoint) => [endpoint.operationId, endpoint] as const))(
    'has examples that fit: %s',
    (operationId, { body, answers }) => {
      const complaints = answers
        .filter(({ example }) => example !== undefined)
        .flatMap(({ status, example }) => check.answer(operationId, { status, body: example }));
      if (body !== undefined) {
        complaints.push(...check.body(operationId, body.example));
        // The schemas that validate agree with their description.
        complaints.push(
          ...(body.schema.safeParse(body.example).error?.issues ?? []).map(({ message }) => message),
        );
      }
      expect(complaints).toEqual([]);
    },
  );

  test('names each operation once', () => {
    const ids = endpoints.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

/** Everything under a key of this name, at any depth. */
function valuesOf(name: string, value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(key === name ? [inner] : []),
    ...valuesOf(name, inner),
  ]);
}

const document = createOpenApiDocument(endpoints);

describe('for generators of clients', () => {
  const patterns = [...new Set(valuesOf('pattern', document))].filter((one) => typeof one === 'string');
  const operationIds = endpoints.map(({ operationId }) => operationId);

  test('there are patterns', () => expect(patterns.length).toBeGreaterThan(5));

  // What JavaScript, Go (RE2, after kin-openapi's translation of \\uXXXX) and Python read alike.
  test.each(patterns)('the pattern %s is in the common subset of regular expressions', (pattern) => {
    expect(() => new RegExp(pattern, 'u')).not.toThrow();
    expect(pattern).not.toMatch(/\(\?(?!:)/);
    const escapes = pattern.match(/\\(?:u[0-9A-F]{4}|.)/g) ?? [];
    expect(escapes.filter((one) => !/^\\(?:u[0-9A-F]{4}|[ds.\\/[\]+-])$/.test(one))).toEqual([]);
  });

  test('are all operations: each that has a method at a path', () => {
    const described = Object.values(Object(document['paths'])).flatMap((one) => Object.keys(Object(one)));
    expect(described).toHaveLength(endpoints.length);
    expect(valuesOf('operationId', document)).toEqual([...operationIds, ...webhookOperationIds]);
  });

  test('each call of a project states the scope of its key, each admin call its least role', () => {
    const operations = Object.values(Object(document['paths'])).flatMap((one) => Object.values(Object(one)));
    const stated = operations.map((one) => Object(one)).map((one) => [one['x-scope'], one['x-role']]);
    expect(stated).toEqual(
      endpoints.map(({ access }) => {
        if (typeof access === 'string') return [undefined, undefined];
        return 'project' in access ? [access.project, undefined] : [undefined, access.admin];
      }),
    );
  });

  test.each([...operationIds, ...webhookOperationIds])('%s is a verb and a noun', (operationId) => {
    expect(operationId).toMatch(/^[a-z]+(?:[A-Z][a-z]+)+$/);
  });

  test('no schema has the name that a generator gives to a part of an operation', () => {
    const taken = new Set(
      operationIds.flatMap((id) =>
        ['', 'Request', 'Response', 'Params', 'Body', 'JSONRequestBody', 'JSONBody'].map((part) =>
          `${id}${part}`.toLowerCase(),
        ),
      ),
    );
    const schemas = valuesOf('schemas', document).flatMap((one) => Object.keys(Object(one)));
    expect(schemas.length).toBeGreaterThan(20);
    expect(schemas.filter((name) => taken.has(name.toLowerCase()))).toEqual([]);
  });
});

describe('what is sent to products', () => {
  const { webhooks } = z
    .object({ webhooks: z.record(z.string(), z.record(z.string(), z.unknown())) })
    .parse(document);
  const check = createSchemaCheck({
    ...createOpenApiDocument(endpoints, { isClosed: true }),
    paths: webhooks,
  });

  test('is described by its type, each with its headers', () => {
    expect(Object.keys(webhooks)).toEqual([...webhookMessageTypes]);
    for (const { post } of Object.values(webhooks))
      expect(JSON.stringify(post)).toMatch(/webhook-id.*webhook-timestamp.*webhook-signature/);
  });

  const examples = Object.entries(webhooks).flatMap(([type, { post }]) =>
    valuesOf('examples', post).flatMap((all) =>
      Object.values(Object(all)).map((one) => [type, one] as const),
    ),
  );
  test.each(examples)('has examples that fit: %s', (type, example) => {
    const { value } = z.object({ value: z.looseObject({ type: z.string() }) }).parse(example);
    expect(value.type).toBe(type);
    const { operationId } = z.object({ operationId: z.string() }).parse(webhooks[type]?.['post']);
    expect(check.body(operationId, value)).toEqual([]);
    expect(webhookMessage.safeParse(value).success).toBe(true);
  });
});

describe('for typed clients', () => {
  test('every component is used', () => {
    const references = new Set(valuesOf('$ref', document));
    const components = Object.entries(Object(valuesOf('components', document)[0]))
      // What an operation's `security` names is no reference.
      .filter(([kind]) => kind !== 'securitySchemes')
      .flatMap(([kind, named]) => Object.keys(Object(named)).map((name) => `#/components/${kind}/${name}`));
    expect(components.length).toBeGreaterThan(50);
    expect(components.filter((path) => !references.has(path))).toEqual([]);
  });

  const isInlineObject = (one: unknown): boolean =>
    typeof one === 'object' && one !== null && 'properties' in one;

  test.each(['well-formed Unicode', 'not described', 'sent twice', 'changes something'])(
    'the introduction says that requests are read strictly: %s',
    (words) => expect(Object(document['info']).description).toContain(words),
  );

  test('every object in a union is a component of its own', () => {
    const members = ['anyOf', 'oneOf'].flatMap((name) => valuesOf(name, document)).flat();
    expect(members.length).toBeGreaterThan(5);
    expect(members.filter(isInlineObject)).toEqual([]);
  });

  test('every refusal is the one Problem, and says which codes it can have', () => {
    const bodies = valuesOf('application/problem+json', document);
    const problem = { $ref: '#/components/schemas/Problem' };
    expect(bodies.length).toBeGreaterThan(20);
    for (const body of bodies) expect(body).toMatchObject({ schema: problem });
    const named = valuesOf('x-error-codes', document).flat();
    expect(new Set(named)).toEqual(new Set(Object.keys(errorCatalog)));
  });
});

describe('the API', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());

  test.each(endpoints.map(({ method, path }) => [method, path] as const))(
    'has the route that is described: %s %s',
    async (method, path) => {
      const response = await fetch(api.url + path.replaceAll(/\{\w+\}/g, 'x'), {
        method: method.toUpperCase(),
        headers: { authorization: `Bearer ${testAdmin.secret}` },
      });
      const answer = z.looseObject({ code: z.string() }).safeParse(await response.json().catch(() => null));
      expect(['route_not_found', 'method_not_allowed']).not.toContain(answer.data?.code);
    },
  );

  test('has no other route: each is mounted from the list of endpoints', () => {
    const { stack } = createApp(api.deps).app.router;
    const mounted = stack.flatMap(({ route }) => route?.path.replaceAll(/:(\w+)/g, '{$1}') ?? []);
    expect(new Set(mounted)).toEqual(new Set(endpoints.map(({ path }) => path)));
  });

  test('serves the description, and a page that asks no other host for anything', async () => {
    const json = await api
      .http()
      .get('/openapi.json')
      .expect(200)
      .expect('content-type', /application\/json/);
    expect(json.body).toEqual(document);
    const page = await api
      .http()
      .get('/docs')
      .expect(200)
      .expect('content-type', /text\/html/);
    for (const { operationId, path } of endpoints) {
      expect(page.text).toContain(`id="${operationId}"`);
      expect(page.text).toContain(path);
    }
    expect(page.text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.headers['content-security-policy']).not.toContain('unsafe');
  });
});

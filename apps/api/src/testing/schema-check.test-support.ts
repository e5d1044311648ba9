import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

type Media = Record<string, { schema: object }>;
type Response = { content?: Media };
type Operation = {
  operationId: string;
  requestBody?: { content: Media };
  responses: Record<string, Response | { $ref: string }>;
};
type OpenApi = {
  paths: Record<string, Record<string, Operation>>;
  components: { responses: Record<string, Response> };
};

/** What was wrong, one line each; empty: nothing. */
export type Complaints = string[];

/** Checks requests and answers against an OpenAPI document, by operation. */
export function createSchemaCheck(document: object) {
  const { paths, components } = document as OpenApi;
  const operations = new Map(
    Object.values(paths).flatMap((each) => Object.values(each).map((one) => [one.operationId, one] as const)),
  );
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema({ $id: 'doc:/', components });
  const compiled = new Map<object, ReturnType<Ajv2020['compile']>>();

  function complaintsOf(schema: object, value: unknown): Complaints {
    let validate = compiled.get(schema);
    if (validate === undefined) {
      const text = JSON.stringify(schema).replaceAll('"#/components/', '"doc:/#/components/');
      validate = ajv.compile(JSON.parse(text) as object);
      compiled.set(schema, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ''}`);
  }

  function operationOf(operationId: string): Operation {
    const operation = operations.get(operationId);
    if (operation === undefined) throw new Error(`no operation ${operationId}`);
    return operation;
  }

  return {
    body(operationId: string, value: unknown): Complaints {
      const [media] = Object.values(operationOf(operationId).requestBody?.content ?? {});
      return media === undefined ? ['this operation takes no body'] : complaintsOf(media.schema, value);
    },
    /** `contentType`: as it was sent, parameters included; not checked if absent. */
    answer(operationId: string, answer: { status: number; body: unknown; contentType?: string }): Complaints {
      const given = operationOf(operationId).responses[String(answer.status)];
      const described =
        given !== undefined && '$ref' in given
          ? components.responses[given.$ref.slice('#/components/responses/'.length)]
          : given;
      if (described === undefined) return [`the status ${answer.status} is not described`];
      const [type, media] = Object.entries(described.content ?? {})[0] ?? [];
      if (type === undefined || media === undefined) return [];
      if (answer.contentType !== undefined && !answer.contentType.startsWith(type))
        return [`${answer.contentType} is not ${type}`];
      return type.endsWith('json') ? complaintsOf(media.schema, answer.body) : [];
    },
  };
}

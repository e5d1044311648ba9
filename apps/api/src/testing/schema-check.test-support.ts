import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

type Reference = { $ref: string };
type Media = Record<string, { schema: object }>;
type Header = { required?: boolean; schema: { type?: string } };
type Response = {
  headers?: Record<string, Header | Reference>;
  content?: Media;
  'x-error-codes'?: string[];
};
type Parameter = { name: string; in: string; required: boolean; schema: { type?: string } };
type Operation = {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: Media };
  responses: Record<string, Response | Reference>;
};
type OpenApi = {
  paths: Record<string, Record<string, Operation>>;
  components: { responses: Record<string, Response>; headers: Record<string, Header> };
};

/** What was wrong, one line each; empty: nothing. */
export type Complaints = string[];

export type SentRequest = {
  path?: Record<string, unknown>;
  query?: Record<string, unknown>;
  headers?: Record<string, unknown>;
  body?: unknown;
};

/** What a text in an address or a header stands for. */
function readText(value: unknown, { type }: { type?: string }): unknown {
  if (typeof value !== 'string') return value;
  // Half a pair has no percent encoding.
  if (/\p{Cs}/u.test(value)) return value.replaceAll(/\p{Cs}/gu, '\ufffd');
  if (type === 'integer') return Number(value);
  if (type !== 'boolean') return value;
  return { true: true, false: false }[value] ?? value;
}

export type SentAnswer = {
  status: number;
  body: unknown;
  /** By name in lower case, as they were sent; absent: neither they nor the kind of body are checked. */
  headers?: Record<string, string>;
};

/** What is described, itself or by the last name in its reference. */
function resolve<T extends object>(given: T | Reference, named: Record<string, T>): T {
  if (!('$ref' in given)) return given;
  const found = named[given.$ref.slice(given.$ref.lastIndexOf('/') + 1)];
  if (found === undefined) throw new Error(`${given.$ref} refers to nothing`);
  return found;
}

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

  function headerComplaints({ headers = {} }: Response, sent: Record<string, string>): Complaints {
    return Object.entries(headers).flatMap(([name, given]) => {
      const { required = false, schema } = resolve(given, components.headers);
      const value = sent[name.toLowerCase()];
      if (value === undefined) return required ? [`the header ${name} is missing`] : [];
      const typed = schema.type === 'integer' && /^\d+$/.test(value) ? Number(value) : value;
      return complaintsOf(schema, typed).map((complaint) => `the header ${name}: ${value}${complaint}`);
    });
  }

  function contentComplaints({ content = {} }: Response, { body, headers }: SentAnswer): Complaints {
    const [type, media] = Object.entries(content)[0] ?? [];
    if (type === undefined || media === undefined)
      return headers === undefined || body === '' ? [] : ['it has a body, and none is described'];
    const sent = headers === undefined ? type : (headers['content-type'] ?? 'no content type');
    if (sent.split(';')[0] !== type) return [`${sent} is not ${type}`];
    return type.endsWith('json') ? complaintsOf(media.schema, body) : [];
  }

  function codeComplaints({ 'x-error-codes': codes }: Response, { body }: SentAnswer): Complaints {
    const { code } = body as { code?: string };
    return codes === undefined || codes.includes(String(code)) ? [] : [`the code ${code} is not described`];
  }

  const answerComplaints = (described: Response, answer: SentAnswer): Complaints => [
    ...(answer.headers === undefined ? [] : headerComplaints(described, answer.headers)),
    ...contentComplaints(described, answer),
    ...codeComplaints(described, answer),
  ];

  function parameterComplaints(operationId: string, sent: SentRequest): Complaints {
    const values = { path: sent.path, query: sent.query, header: sent.headers };
    const known = operationOf(operationId).parameters ?? [];
    const strangers = Object.keys(sent.query ?? {}).filter(
      (name) => !known.some((one) => one.in === 'query' && one.name === name),
    );
    return known.reduce<Complaints>(
      (complaints, { name, in: place, required, schema }) => {
        const value = values[place as keyof typeof values]?.[name];
        if (value === undefined) return required ? [...complaints, `${name} is missing`] : complaints;
        return [...complaints, ...complaintsOf(schema, readText(value, schema))];
      },
      strangers.map((name) => `${name} is not described`),
    );
  }

  return {
    /** What of a request does not fit its description. */
    request(operationId: string, sent: SentRequest): Complaints {
      const { requestBody } = operationOf(operationId);
      const [media] = Object.values(requestBody?.content ?? {});
      return [
        ...parameterComplaints(operationId, sent),
        ...(media === undefined ? [] : complaintsOf(media.schema, sent.body === undefined ? {} : sent.body)),
      ];
    },
    body(operationId: string, value: unknown): Complaints {
      const [media] = Object.values(operationOf(operationId).requestBody?.content ?? {});
      return media === undefined ? ['this operation takes no body'] : complaintsOf(media.schema, value);
    },
    answer(operationId: string, answer: SentAnswer): Complaints {
      const given = operationOf(operationId).responses[String(answer.status)];
      if (given === undefined) return [`the status ${answer.status} is not described`];
      return answerComplaints(resolve(given, components.responses), answer);
    },
    /** An answer to what is no operation, and what it should be. */
    refusal(described: object, answer: SentAnswer): Complaints {
      return answerComplaints(described, answer);
    },
  };
}

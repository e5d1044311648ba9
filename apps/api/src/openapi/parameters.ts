import { id } from '@billing/domain';
import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { toJsonSchema } from './json-schema.ts';
import type { JsonObject, SchemaOptions } from './json-schema.ts';

/** Names of the parameters in a path such as `/projects/{project_id}`. */
export const pathParameterNames = (path: string): string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) => name ?? []);

/** What an operation takes in its path, query and headers. */
export function operationParameters(endpoint: Endpoint, options: SchemaOptions): JsonObject[] {
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

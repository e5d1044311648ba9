import { z } from 'zod';

export type JsonObject = { [key: string]: unknown };

export type SchemaOptions = {
  /** What comes in, or what goes out: they differ where a schema transforms. */
  io: 'input' | 'output';
  /** Answers with fields that are not described are wrong: for tests. Clients must let new fields pass. */
  isClosed: boolean;
  /** Where schemas with a name go. */
  components: JsonObject;
};

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const definitionsPrefix = '#/$defs/';

/** A zod schema as JSON Schema 2020-12, in which named schemas are references to the document's components. */
export function toJsonSchema(schema: z.ZodType, options: SchemaOptions): JsonObject {
  const {
    $schema: _dialect,
    $defs,
    ...root
  } = z.toJSONSchema(schema, {
    io: options.io,
    // zod leaves the default out of what is transformed; that of a number is the same before and after.
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema instanceof z.ZodDefault && typeof zodSchema.def.defaultValue === 'number')
        jsonSchema.default = zodSchema.def.defaultValue;
    },
  });
  for (const [name, definition] of Object.entries($defs ?? {}))
    options.components[name] = tidy(definition, options);
  const tidied = tidy(root, options);
  return isObject(tidied) ? tidied : {};
}

function tidy(value: unknown, options: SchemaOptions): unknown {
  if (Array.isArray(value)) return value.map((item) => tidy(item, options));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([key, item]) => !isNoise(key, item, { value, options }));
  return Object.fromEntries(entries.map(([key, item]) => [key, tidyEntry(key, item, options)]));
}

function tidyEntry(key: string, item: unknown, options: SchemaOptions): unknown {
  if (key === '$ref' && typeof item === 'string')
    return item.replace(definitionsPrefix, '#/components/schemas/');
  return tidy(item, options);
}

/** What zod adds for readers that know no formats, and repeats everywhere. */
function isNoise(
  key: string,
  item: unknown,
  { value, options }: { value: JsonObject; options: SchemaOptions },
): boolean {
  if (key === 'pattern') return value['format'] === 'date-time';
  if (key === 'minimum') return item === Number.MIN_SAFE_INTEGER;
  if (key === 'maximum') return item === Number.MAX_SAFE_INTEGER;
  return key === 'additionalProperties' && item === false && options.io === 'output' && !options.isClosed;
}

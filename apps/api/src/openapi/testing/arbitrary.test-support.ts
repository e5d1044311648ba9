import * as fc from 'fast-check';

type Schema = Record<string, unknown>;
type Schemas = Record<string, Schema>;

/** What people and machines send by mistake or on purpose. */
const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1.5,
    1e308,
    '',
    ' ',
    '\0',
    '\ud800',
    '\ufffd',
    [],
    {},
    '1',
    'null',
  ),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.integer(),
  fc.double(),
  fc.jsonValue({ maxDepth: 3 }),
);

const asArray = (value: unknown): Schema[] => (Array.isArray(value) ? (value as Schema[]) : []);

function textOf(schema: Schema): fc.Arbitrary<unknown> {
  const { format, description, pattern } = schema;
  if (format === 'date-time')
    return fc
      .date({ min: new Date('1960-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString());
  if (format === 'date')
    return fc
      .date({ min: new Date('1960-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10));
  // RFC 5322 allows more than is taken.
  if (format === 'email')
    return fc.oneof(
      { weight: 4, arbitrary: fc.stringMatching(/^[a-z0-9]{1,12}@[a-z]{1,12}\.com$/) },
      fc.emailAddress(),
    );
  if (typeof description === 'string' && /URL|origin/.test(description))
    return fc.oneof(fc.webUrl({ validSchemes: ['https'] }), fc.constant('http://localhost:3000'));
  if (typeof pattern === 'string' && description === undefined) return fc.stringMatching(new RegExp(pattern));
  return fc.oneof(
    { weight: 3, arbitrary: fc.stringMatching(/^[a-z0-9_]{1,12}$/) },
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  );
}

/** Values of a schema, mostly: some are wrong on purpose, so that refusals are met too. */
export function arbitraryOf(schema: Schema, schemas: Schemas): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 19, arbitrary: valueOf(schema, schemas) }, { weight: 1, arbitrary: junk });
}

function valueOf(schema: Schema, schemas: Schemas): fc.Arbitrary<unknown> {
  const { $ref: reference, enum: values, anyOf, type } = schema;
  if (typeof reference === 'string')
    return valueOf(schemas[reference.slice(reference.lastIndexOf('/') + 1)] ?? {}, schemas);
  if (Array.isArray(values)) return fc.constantFrom<unknown>(...(values as unknown[]));
  if (anyOf !== undefined) return fc.oneof(...asArray(anyOf).map((each) => valueOf(each, schemas)));
  if (type === 'object') return objectOf(schema, schemas);
  if (type === 'array') return fc.array(arbitraryOf(schema['items'] as Schema, schemas), { maxLength: 5 });
  if (type === 'integer' || type === 'number') {
    const min = Number(schema['minimum'] ?? -1_000);
    const max = Number(schema['maximum'] ?? 1_000_000);
    return type === 'integer'
      ? fc.integer({ min, max: Math.min(max, 2_147_483_647) })
      : fc.double({ min, max, noNaN: true });
  }
  if (type === 'boolean') return fc.boolean();
  if (type === 'null') return fc.constant(null);
  return type === 'string' ? textOf(schema) : junk;
}

/** Any keys, as many as are allowed; some with names or values that are not. */
function dictionaryOf(schema: Schema, schemas: Schemas): fc.Arbitrary<unknown> {
  const { pattern } = (schema['propertyNames'] ?? {}) as Schema;
  const anyKey = fc.string({ maxLength: 12 });
  const key = typeof pattern === 'string' ? fc.stringMatching(new RegExp(pattern)) : anyKey;
  const value = arbitraryOf((schema['additionalProperties'] ?? {}) as Schema, schemas);
  return fc.oneof(
    { weight: 4, arbitrary: fc.dictionary(key, value, { maxKeys: 5 }) },
    { weight: 1, arbitrary: fc.dictionary(anyKey, junk, { maxKeys: 5 }) },
  );
}

function objectOf(schema: Schema, schemas: Schemas): fc.Arbitrary<unknown> {
  const properties = (schema['properties'] ?? {}) as Schemas;
  const required = (schema['required'] ?? []) as string[];
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, field]) => [name, arbitraryOf(field, schemas)]),
  );
  const known = fc.record(fields, { requiredKeys: required });
  if (Object.keys(properties).length === 0) return dictionaryOf(schema, schemas);
  const unknownField = fc
    .tuple(known, fc.string({ maxLength: 8 }), junk)
    .map(([value, name, more]) => ({ ...value, [name]: more }));
  return fc.oneof({ weight: 12, arbitrary: known }, { weight: 1, arbitrary: unknownField });
}

/** A validator for the part of OpenAPI 3.0 that Stripe's document uses. Also reports unknown fields. */

function kindOf(value) {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

function hasType(type, kind) {
  return type === undefined || type === kind || (type === 'number' && kind === 'integer');
}

function resolve(context, schema) {
  let found = schema;
  while (found.$ref) found = context.schemas[found.$ref.split('/').at(-1)];
  return found;
}

function checkObject(context, schema, value, at) {
  const problems = [];
  for (const name of schema.required ?? []) {
    if (!(name in value)) problems.push(`${at}.${name}: required, but missing`);
  }
  for (const [name, field] of Object.entries(value)) {
    const known = schema.properties?.[name];
    if (known) problems.push(...check(context, known, field, `${at}.${name}`));
    else if (schema.additionalProperties)
      problems.push(...check(context, schema.additionalProperties, field, `${at}.${name}`));
    else if (schema.properties && !context.isExtra(`${at}.${name}`)) problems.push(`${at}.${name}: unknown`);
  }
  return problems;
}

/** Of several alternatives reports the one that fits best. */
function checkAny(context, schema, value, at) {
  const results = schema.anyOf.map((one) => check(context, one, value, at));
  return results.reduce((best, one) => (one.length < best.length ? one : best));
}

/**
 * The problems of a value against a schema, as lines `path: what`. `context` has the document's `schemas` and
 * `isExtra(path)`: whether a field that the document does not know is known to be right.
 */
export function check(context, schema, value, at) {
  if (schema === true || Object.keys(schema).length === 0) return [];
  const found = resolve(context, schema);
  const kind = kindOf(value);
  if (kind === 'null') return schema.nullable || found.nullable ? [] : [`${at}: null, but not nullable`];
  if (found.anyOf) return checkAny(context, found, value, at);
  if (!hasType(found.type, kind)) return [`${at}: ${kind}, but ${found.type} expected`];
  if (found.enum && !found.enum.includes(value))
    return [`${at}: ${JSON.stringify(value)} is none of ${found.enum}`];
  if (found.maxLength && value.length > found.maxLength) return [`${at}: longer than ${found.maxLength}`];
  if (kind === 'array')
    return value.flatMap((entry, index) => check(context, found.items, entry, `${at}[${index}]`));
  return kind === 'object' ? checkObject(context, found, value, at) : [];
}

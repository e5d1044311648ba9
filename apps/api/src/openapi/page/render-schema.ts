import type { Document, Schema } from './document-schema.ts';
import { escapeHtml, renderInline } from './html.ts';

type Schemas = Document['components']['schemas'];

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const maxDepth = 6;

/** A schema, or the named one that it refers to. */
export function resolveSchema(schema: Schema, schemas: Schemas): Schema {
  const reference = schema['$ref'];
  if (typeof reference !== 'string') return schema;
  return schemas[reference.slice(reference.lastIndexOf('/') + 1)] ?? {};
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function alternativesOf(schema: Schema): Schema[] {
  const { anyOf, oneOf } = schema;
  const alternatives: unknown = anyOf ?? oneOf;
  return Array.isArray(alternatives) ? alternatives.filter(isSchema) : [];
}

/** The kind of a value in a word or two. */
export function typeOf(given: Schema, schemas: Schemas): string {
  const schema = resolveSchema(given, schemas);
  const alternatives = alternativesOf(schema);
  if (alternatives.length > 0) return alternatives.map((each) => typeOf(each, schemas)).join(' or ');
  if (Array.isArray(schema['enum'])) return schema['enum'].map(textOf).join(' | ');
  if ('const' in schema) return textOf(schema['const']);
  const { type, format, items } = schema;
  if (type === 'array' && isSchema(items)) return `list of ${typeOf(items, schemas)}`;
  const name = Array.isArray(type) ? type.map(textOf).join(' or ') : textOf(type ?? 'anything');
  return typeof format === 'string' ? `${name}, ${format}` : name;
}

const limits: readonly [string, (value: string) => string][] = [
  ['minLength', (value) => `at least ${value} characters`],
  ['maxLength', (value) => `at most ${value} characters`],
  ['minimum', (value) => `from ${value}`],
  ['maximum', (value) => `to ${value}`],
  ['minItems', (value) => `at least ${value}`],
  ['maxItems', (value) => `at most ${value}`],
  ['maxProperties', (value) => `at most ${value} keys`],
  ['default', (value) => `default ${value}`],
];

const isObvious = (key: string, schema: Schema): boolean => key === 'minLength' && schema[key] === 1;

export function limitsOf(given: Schema, schemas: Schemas): string {
  const schema = resolveSchema(given, schemas);
  return limits
    .flatMap(([key, say]) => (key in schema && !isObvious(key, schema) ? [say(textOf(schema[key]))] : []))
    .join(', ');
}

/** The fields of an object (or of the objects in a list) as nested lists; empty for what has none. */
export function renderFields(given: Schema, schemas: Schemas, depth = 0): string {
  const schema = resolveSchema(given, schemas);
  if (isSchema(schema['items'])) return renderFields(schema['items'], schemas, depth);
  const alternatives = alternativesOf(schema);
  if (alternatives.length > 0)
    return alternatives.map((each) => renderAlternative(each, schemas, depth)).join('');
  const properties = schema['properties'];
  if (!isSchema(properties) || depth >= maxDepth) return '';
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const rows = Object.entries(properties).map(([name, field]) =>
    isSchema(field) ? renderField({ name, field, isRequired: required.includes(name) }, schemas, depth) : '',
  );
  return `<ul class="fields">${rows.join('')}</ul>`;
}

/** One of several objects that may stand here, and which it is. */
function renderAlternative(given: Schema, schemas: Schemas, depth: number): string {
  const { description } = resolveSchema(given, schemas);
  const fields = renderFields(given, schemas, depth);
  const isSaid = fields !== '' && typeof description === 'string';
  return isSaid ? `<p class="meaning">${renderInline(description)}</p>${fields}` : fields;
}

type Field = { name: string; field: Schema; isRequired: boolean };

function renderField({ name, field, isRequired }: Field, schemas: Schemas, depth: number): string {
  return `<li>${renderFieldLine({ name, field, isRequired }, schemas)}${renderFields(field, schemas, depth + 1)}</li>`;
}

/** One field: name, kind, limits, and what it means. */
export function renderFieldLine({ name, field, isRequired }: Field, schemas: Schemas): string {
  const described = field['description'] ?? resolveSchema(field, schemas)['description'];
  const bounds = limitsOf(field, schemas);
  return [
    `<code class="name">${escapeHtml(name)}</code>`,
    `<span class="type">${escapeHtml(typeOf(field, schemas))}</span>`,
    isRequired ? '' : '<span class="optional">optional</span>',
    bounds === '' ? '' : `<span class="limits">${escapeHtml(bounds)}</span>`,
    typeof described === 'string' ? `<div class="meaning">${renderInline(described)}</div>` : '',
  ].join(' ');
}

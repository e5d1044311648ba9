import { z } from 'zod';

import { invalid, type StripeApiError } from '../errors.ts';
import type { Metadata } from '../stripe-objects.ts';
import { currencies } from './currencies.ts';

/** Form-encoded values are strings; these schemas parse them. */
export const text = z.string().max(5000);
export const natural = z
  .string()
  .regex(/^\d{1,15}$/, 'integer')
  .transform(Number);
export const positive = natural.refine((value) => value > 0, 'positive');
export const integer = z
  .string()
  .regex(/^-?\d{1,15}$/, 'integer')
  .transform(Number);
export const flag = z.enum(['true', 'false'], 'boolean').transform((value) => value === 'true');
/** The empty string unsets a field. */
export const unset = z.literal('').transform(() => null);
export const metadata = z.union([z.record(z.string().max(40), z.string().max(500)), unset]);
export type MetadataParam = z.infer<typeof metadata>;
export const url = z.string().regex(/^https?:\/\/[^\s]+$/i, 'url');
export const moment = z.union([z.literal('now'), natural]);
export const email = z
  .string()
  .max(512)
  .regex(/^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/, 'email');
export const currency = z
  .string()
  .transform((code) => code.toLowerCase())
  .refine((code) => currencies.includes(code), 'currency');

export const range = z.union([
  natural,
  z.strictObject({
    gt: natural.optional(),
    gte: natural.optional(),
    lt: natural.optional(),
    lte: natural.optional(),
  }),
]);
export type Range = z.infer<typeof range>;

const expand = z.array(z.string().max(500)).optional();
export const expandOnly = z.strictObject({ expand });

/** Parameters of a create or update call: what is not named here is refused, in every nested object too. */
export function body<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject({ ...shape, expand });
}

/** Parameters of a list call whose rows have no `created`. */
export function pageBody<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject({
    ...shape,
    ending_before: z.string().optional(),
    limit: natural.refine((value) => value >= 1 && value <= 100, 'limit').optional(),
    starting_after: z.string().optional(),
    expand,
  });
}

/** Parameters of a list call. */
export function listBody<Shape extends z.ZodRawShape>(shape: Shape) {
  return pageBody({ ...shape, created: range.optional() });
}

/** `line_items[0][price]`, as Stripe names a nested parameter. */
function paramName(path: readonly PropertyKey[]): string {
  const [first, ...rest] = path.map(String);
  return `${first ?? ''}${rest.map((part) => `[${part}]`).join('')}`;
}

function describe(issue: z.core.$ZodIssue, value: unknown): StripeApiError {
  const shown = typeof value === 'string' ? value : JSON.stringify(value);
  const name = paramName(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const unknown = issue.keys.map((key) => paramName([...issue.path, key]));
    const noun = unknown.length === 1 ? 'parameter' : 'parameters';
    return invalid(`Received unknown ${noun}: ${unknown.join(', ')}`, unknown[0], 'parameter_unknown');
  }
  if (value === undefined) return invalid(`Missing required param: ${name}.`, name, 'parameter_missing');
  if (issue.message === 'integer')
    return invalid(`Invalid integer: ${shown}`, name, 'parameter_invalid_integer');
  if (issue.message === 'url') return invalid('Not a valid URL', name, 'url_invalid');
  if (value === '') {
    return invalid(
      `You passed an empty string for '${name}'. We assume empty values are an attempt to unset a parameter; however '${name}' cannot be unset. You should remove '${name}' from your request or supply a non-empty value.`,
      name,
      'parameter_invalid_empty',
    );
  }
  if (issue.message === 'boolean') return invalid(`Invalid boolean: ${shown}`, name);
  if (issue.message === 'email') return invalid(`Invalid email address: ${shown}`, name, 'email_invalid');
  if (issue.message === 'currency') {
    const supported = currencies.join(', ');
    return invalid(
      `Invalid currency: ${shown}. Stripe currently supports these currencies: ${supported}`,
      name,
    );
  }
  if (issue.message === 'limit') return invalid('Invalid limit: it must be between 1 and 100', name);
  return invalid(`Invalid ${name}: ${issue.message}`, name);
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** As at Stripe: a name that nobody knows is reported before a value that is wrong. */
function gravest(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue | undefined {
  return issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
}

/** The innermost issue; of a union that of its last branch, which is the richest. */
function leaf(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = gravest((issue.errors.at(-1) ?? []).map(leaf));
  return inner === undefined ? issue : { ...inner, path: [...issue.path, ...inner.path] };
}

/** Parses parameters, or throws Stripe's error for the first problem. */
export function parseParams<T>(schema: z.ZodType<T>, raw: unknown): T {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issue = gravest(parsed.error.issues.map(leaf));
  if (issue === undefined) throw invalid('Invalid request.');
  throw describe(issue, valueAt(raw, issue.path));
}

/** Stripe merges metadata: an empty value unsets a key, an empty `metadata` all of them. */
export function mergeMetadata(before: Metadata, change: MetadataParam | undefined): Metadata {
  if (change === undefined) return before;
  if (change === null) return {};
  const merged = { ...before, ...change };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''));
}

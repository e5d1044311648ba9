import { ServiceError } from '@billing/domain';
import type { FieldProblem } from '@billing/domain';
import express from 'express';
import type { Request, RequestHandler } from 'express';
import type { z } from 'zod';
import { issueWords } from './issue-words.ts';

const maxBodyBytes = 256 * 1024;
const maxProblems = 20;

function toFieldProblems(error: z.ZodError): FieldProblem[] {
  return error.issues.slice(0, maxProblems).flatMap((issue) => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys
        .slice(0, maxProblems)
        .map((key) => ({ path: [...issue.path, key].join('.').slice(0, 256), message: 'is not known here' }));
    return [{ path: issue.path.join('.').slice(0, 256), message: issue.message }];
  });
}

/**
 * zod ignores this key where it refuses all other unknown ones. `except`: a field that is not looked into. A body of brackets
 * only must not exhaust the stack.
 */
function hasPrototypeKey(value: unknown, except?: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Object.hasOwn(value, '__proto__')) return true;
  const left = Object.entries(value).flatMap<unknown>(([name, one]) => (name === except ? [] : [one]));
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one !== 'object' || one === null) continue;
    if (Object.hasOwn(one, '__proto__')) return true;
    for (const inner of Object.values(one)) left.push(inner);
  }
  return false;
}

const prototypeKeyProblem: FieldProblem = { path: '__proto__', message: 'is not known here' };

/** More than any schema takes. zod reports each of them: 15,000 in one body blocked all other requests for 0.2 s. */
const maxEntries = 1_000;

const hasTooManyEntries = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.keys(value).length > maxEntries;

/** Refuses too many entries before a schema looks at them, at the depths at which schemas allow any keys. */
function refuseTooManyEntries(value: unknown, what: string): void {
  if (typeof value !== 'object' || value === null) return;
  const path = hasTooManyEntries(value)
    ? ''
    : Object.entries(value).find(([, inner]) => hasTooManyEntries(inner))?.[0];
  if (path === undefined) return;
  throw new ServiceError('invalid_request', `Correct the fields of the ${what} that "errors" names.`, {
    errors: [{ path: path.slice(0, 256), message: `must not have more than ${maxEntries} entries` }],
  });
}

/** A query parameter that is given twice is an array; `user_id[]` is another name than `user_id`, which is missing then. */
const problemIn =
  (what: Asked['what']): z.core.$ZodErrorMap =>
  (issue) =>
    what === 'query' && issue.code === 'invalid_type' && Array.isArray(issue.input)
      ? 'is given twice'
      : issueWords(issue);

type Parsed<T extends z.ZodType> = { data: z.output<T> } | { problems: FieldProblem[] };

type Asked = { what: 'body' | 'path' | 'query'; value: unknown; except?: string | undefined };

function check<T extends z.ZodType>(schema: T, { what, value, except }: Asked): Parsed<T> {
  const parsed = schema.safeParse(value, { error: problemIn(what) });
  if (!parsed.success) return { problems: toFieldProblems(parsed.error) };
  return hasPrototypeKey(value, except) ? { problems: [prototypeKeyProblem] } : { data: parsed.data };
}

function parse<T extends z.ZodType>(schema: T, asked: Asked): z.output<T> {
  const { what, value } = asked;
  refuseTooManyEntries(value, what);
  const parsed = check(schema, asked);
  if ('data' in parsed) return parsed.data;
  throw new ServiceError('invalid_request', `Correct the fields of the ${what} that "errors" names.`, {
    errors: parsed.problems,
  });
}

/** An entry of a list whose entries are refused one by one: the entry, or what is wrong with it. */
export const parseEntry = <T extends z.ZodType>(schema: T, entry: unknown): Parsed<T> =>
  check(schema, { what: 'body', value: entry });

/** A body of another method means nothing and is not read. */
const methodsWithBody = new Set(['POST', 'PUT', 'PATCH']);

const parserOf = (limit: number): RequestHandler =>
  express.json({ limit, inflate: false, type: 'application/json', strict: false });

const foreignCharset = /;\s*charset\s*=\s*(?!"?utf-?8\b)/i;

/** JSON is UTF-8 (RFC 8259); the content type may name that charset. */
const isJson = (request: Request): boolean =>
  request.is('application/json') !== false && !foreignCharset.test(request.headers['content-type'] ?? '');

/**
 * Reads a JSON body into `request.body`. Comes after authentication, so that a caller without a key learns nothing
 * about bodies. Another content type is 415: a body that is silently ignored would mislead.
 */
export const readJson = createJsonReader(maxBodyBytes);

/** The same for bodies of another length. */
export function createJsonReader(maxBytes: number): RequestHandler {
  const parser = parserOf(maxBytes);
  return (request, response, next) => {
    if (!methodsWithBody.has(request.method)) {
      next();
      return;
    }
    const length = request.headers['content-length'];
    const hasBody =
      request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
    if (hasBody && !isJson(request)) {
      next(new ServiceError('unsupported_media_type', 'Send the body as application/json in UTF-8.'));
      return;
    }
    parser(request, response, next);
  };
}

/** Refuses a query that nothing reads: with `?dry_run=true` beside a body that lacks it the call would take effect. */
export function refuseQuery(request: Request): void {
  const names = Object.keys(request.query).slice(0, maxProblems);
  if (names.length === 0) return;
  throw new ServiceError('invalid_request', 'Leave the query out: this call takes none.', {
    errors: names.map((name) => ({ path: name.slice(0, 256), message: 'is not known in the query here' })),
  });
}

/**
 * The body that `readJson` read, checked. `entries`: the field whose entries are checked one by one (`parseEntry`). Throws
 * `invalid_request`.
 */
export function parseBody<T extends z.ZodType>(schema: T, request: Request, entries?: string): z.output<T> {
  const body: unknown = request.body;
  // No body at all is an empty one; `null` is not.
  return parse(schema, { what: 'body', value: body === undefined ? {} : body, except: entries });
}

const malformedEscape = /%(?![0-9A-Fa-f]{2})/;

/** The query string, checked; a parameter given twice is an array, which schemas refuse. Throws `invalid_request`. */
export function parseQuery<T extends z.ZodType>(schema: T, request: Request): z.output<T> {
  // Node would take such a sign literally, and a mistake of a client would become another identifier.
  if (request.url.includes('%') && malformedEscape.test(request.url))
    throw new ServiceError('invalid_request', 'Encode the query as UTF-8 with percent signs (RFC 3986).', {
      errors: [{ path: '', message: 'has a percent sign that is no escape' }],
    });
  return parse(schema, { what: 'query', value: { ...request.query } });
}

/** Path parameters, checked. Throws `invalid_request`. */
export function parseParams<T extends z.ZodType>(schema: T, request: Request): z.output<T> {
  return parse(schema, { what: 'path', value: request.params });
}

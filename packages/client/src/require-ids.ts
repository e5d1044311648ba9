import { BillingError } from './billing-error.ts';
import type { FieldProblem } from './wire.ts';

/** As the service refuses a request, without sending it. */
export const refusedHere = (errors: FieldProblem[]): BillingError =>
  new BillingError({
    code: 'invalid_request',
    detail: `Correct the request: ${errors.map(({ path, message }) => `${path} ${message}`).join('; ')}.`,
    errors,
  });

export const idProblems = (ids: Readonly<Record<string, unknown>>): FieldProblem[] =>
  Object.entries(ids)
    .filter(([, value]) => typeof value !== 'string' || value === '')
    .map(([path]) => ({ path, message: 'must be a string that is not empty' }));

/**
 * By their paths in the request, as the service names them. `undefined` would be sent as the text "undefined" and ask
 * for a user of that name.
 */
export function requireIds(ids: Readonly<Record<string, unknown>>): void {
  const problems = idProblems(ids);
  if (problems.length > 0) throw refusedHere(problems);
}

const loneSurrogate = /\p{Cs}/u;

/** The same for an id that is a part of an address, where dots alone would lead elsewhere. */
export function requirePathId(path: string, value: string): void {
  requireIds({ [path]: value });
  if (value === '.' || value === '..') throw refusedHere([{ path, message: 'must not be "." or ".."' }]);
  if (loneSurrogate.test(value)) throw refusedHere([{ path, message: 'must be well-formed Unicode' }]);
}

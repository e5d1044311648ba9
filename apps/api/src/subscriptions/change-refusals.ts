import { ServiceError } from '@billing/domain';
import type { ErrorCode, FieldProblem } from '@billing/domain';
import { namesOf, refusalOf } from '../checkout/stripe-refusals.ts';
import type { Refusal } from '../checkout/stripe-refusals.ts';

/** Where a request names what Stripe refuses of a change; empty: Stripe does not say. */
function problemsOf({ param, why }: Refusal): FieldProblem[] {
  if (/\bresumes_at\b/.test(param)) return [{ path: 'resumes_at', message: why }];
  if (/\bcomment\b/.test(param)) return [{ path: 'reason', message: why }];
  return /\bitems\b|^phases/.test(param) ? [{ path: 'items', message: why }] : [];
}

/** The period of the preview is over. */
export const outdated = (cause?: unknown): ServiceError =>
  new ServiceError('preview_outdated', 'Make a new preview, show it, and send its token.', { cause });

/** What a caller is told where Stripe refuses to change a subscription: `code`, and why. Another error stays as it is. */
export function toChangeRefusal(error: unknown, code: ErrorCode): unknown {
  const refusal = refusalOf(error);
  if (refusal === null || !(error instanceof ServiceError)) return error;
  const { cause } = error;
  if (refusal.isOfCard)
    return new ServiceError('payment_required', "The user's card was declined: have another one added.", {
      cause,
    });
  if (/\bproration_date\b/.test(refusal.param)) return outdated(cause);
  const errors = problemsOf(refusal);
  const [problem] = errors;
  const isOfField = problem !== undefined && problem.path !== 'items';
  const detail = isOfField
    ? 'Correct the field that `errors` names.'
    : `Stripe refuses it (${namesOf(refusal)}): correct what is asked for, or the price in the catalog or at Stripe.`;
  return new ServiceError(isOfField ? 'invalid_request' : code, detail, {
    cause,
    ...(errors.length === 0 ? {} : { errors }),
  });
}

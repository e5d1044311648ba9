import { ServiceError, subscriptionOut } from '@billing/domain';
import type { ErrorCode, Instant, SubscriptionOut } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import { auditSubscription } from '@billing/store';
import type { Actor, AuditDetails, ProjectSubscription } from '@billing/store';
import { applyChanged } from '@billing/sync';
import { answerOnce, parseIdempotencyKey } from '../checkout/answer-once.ts';
import type { Try } from '../checkout/answer-once.ts';
import { startStripeBudget, stripeErrorOf } from '../checkout/call-stripe.ts';
import type { StripeBudget } from '../checkout/call-stripe.ts';
import type { AppDeps } from '../deps.ts';
import { toChangeRefusal } from './change-refusals.ts';
import { findSubscription } from './find-subscription.ts';
import type { SubscriptionKey } from './find-subscription.ts';
import { presentSubscription } from './present-subscription.ts';
import { askStripeToChange, unansweredCalls } from './stripe-calls.ts';
import type { StripeCall } from './stripe-calls.ts';

/** A change answers within 15 s, whatever hangs. */
const deadlineMs = 14_500;
const stripeMs = 9_000;
export const lookupMs = 3_000;

/** A change of a subscription that a project asks for. */
export type ChangeOrder = SubscriptionKey & {
  actor: Actor;
  /** As the audit log names it. */
  action: `subscription.${string}`;
  /** The parsed body: it is the same request where this is equal. */
  body: object;
  /** What the audit log says of it besides. */
  audit: { reason?: string; details: AuditDetails };
  /** What a definite refusal of Stripe's is. */
  refusedAs: ErrorCode;
  /** What is asked of Stripe; nothing: it is as was asked already. Throws where the subscription's state does not allow it. */
  plan: (subscription: ProjectSubscription, now: Instant) => StripeCall[];
};

const notKnown =
  'It is not known whether the change was made: send the request again, with the same Idempotency-Key.';

const tooLate = (): ServiceError => new ServiceError('service_unavailable', notKnown, { retryable: true });

/** Stripe may have made the change, and its invoice may be paid. */
function notAnswered(error: unknown): unknown {
  if (!(error instanceof ServiceError) || error.code !== 'stripe_unavailable') return error;
  const { code, retryable, retryAfterSeconds, cause } = error;
  const again = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  return new ServiceError(code, notKnown, { retryable, ...again, cause });
}

/**
 * Stripe refuses what our row allows: the row may be outdated, or an earlier attempt, of which no answer came, made the change (a
 * `DELETE` has no idempotency key). So the subscription is read from Stripe. Returns what is left to ask; throws what its state
 * says now, else Stripe's refusal, where that is the same as before.
 */
async function planAgain(
  deps: AppDeps,
  order: ChangeOrder,
  { refusal, calls }: { refusal: unknown; calls: readonly StripeCall[] },
): Promise<StripeCall[]> {
  if (!(refusal instanceof ServiceError) || refusal.code !== 'stripe_error') throw refusal;
  await applyChanged(deps, { id: order.subscriptionId, answer: null, lookupMs });
  const left = order.plan(await findSubscription(deps, order), deps.clock());
  if (JSON.stringify(left) !== JSON.stringify(calls)) return left;
  if (stripeErrorOf(refusal)?.statusCode !== 404) throw toChangeRefusal(refusal, order.refusedAs);
  throw new ServiceError('subscription_not_found', 'Stripe does not have this subscription.', {
    cause: refusal,
  });
}

type Asked = { oneTry: Try; calls: readonly StripeCall[]; userId: string };

/** Asks Stripe for the change, once more where the subscription turns out to be in another state than our row was. */
async function askUntilPlanned(
  deps: AppDeps,
  order: ChangeOrder,
  { asked, budget }: { asked: Asked; budget: StripeBudget },
): Promise<unknown> {
  try {
    return await askStripeToChange(deps, asked, budget);
  } catch (refusal) {
    const { oneTry, calls } = asked;
    const left = await planAgain(deps, order, { refusal, calls });
    if (left.length === 0) return null;
    const again = { ...oneTry, stripeKeySeed: `${oneTry.stripeKeySeed} again`, unanswered: null };
    return askStripeToChange(deps, { ...asked, oneTry: again, calls: left }, budget).catch(
      (error: unknown) => {
        throw toChangeRefusal(error, order.refusedAs);
      },
    );
  }
}

/** From the order to the subscription as Stripe has it then. */
async function change(
  deps: AppDeps,
  order: ChangeOrder,
  { oneTry, budget }: { oneTry: Try; budget: StripeBudget },
): Promise<SubscriptionOut> {
  const { subscriptionId: id, actor, action, projectId, audit } = order;
  const subscription = await findSubscription(deps, order);
  const calls = unansweredCalls(oneTry) ?? order.plan(subscription, deps.clock());
  if (calls.length === 0) return presentSubscription(subscription);
  const asked = { oneTry, calls, userId: subscription.userId };
  const answer = await askUntilPlanned(deps, order, { asked, budget });
  await auditSubscription(deps.database, { actor, action, projectId, subscription, ...audit });
  await applyChanged(deps, { id, answer, lookupMs });
  return presentSubscription(await findSubscription(deps, order));
}

/**
 * Runs what changes a subscription once per project and client key, and within its time. `header`: the value of
 * `Idempotency-Key`, if one was sent.
 */
export function runOnce(
  deps: AppDeps,
  { order, header }: { order: Omit<ChangeOrder, 'plan' | 'audit' | 'refusedAs'>; header: string | undefined },
  run: (once: { oneTry: Try; budget: StripeBudget }) => Promise<SubscriptionOut>,
): Promise<SubscriptionOut> {
  const { projectId, subscriptionId, action, body } = order;
  const budget = startStripeBudget(stripeMs);
  const once = {
    projectId,
    key: parseIdempotencyKey(header),
    // With or without project_id it is the same request: the key names the project.
    body: { ...body, project_id: projectId, action, subscription_id: subscriptionId },
    answerSchema: subscriptionOut,
  };
  const answered = answerOnce(deps, once, (oneTry) => run({ oneTry, budget })).catch((error: unknown) => {
    throw notAnswered(error);
  });
  return withDeadline(answered, { ms: deadlineMs, onTimeout: tooLate });
}

/**
 * Carries out a change: asks Stripe, records who asked, looks the subscription up and applies it, so that the next read is
 * right.
 */
export const changeOnce = (
  deps: AppDeps,
  order: ChangeOrder,
  header: string | undefined,
): Promise<SubscriptionOut> => runOnce(deps, { order, header }, (once) => change(deps, order, once));

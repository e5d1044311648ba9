import { checkoutDefaults } from '../contracts/checkout-options.ts';
import type { CheckoutDefaults } from '../contracts/checkout-options.ts';
import type { CheckoutRequest } from '../contracts/checkout-request.ts';
import { ServiceError } from '../errors.ts';
import type { FieldProblem } from '../errors.ts';
import { dayMs, hourMs } from '../time.ts';
import type { Instant } from '../time.ts';

/** Where the buyer pays, and is sent back to. */
export type CheckoutPlace =
  { ui: 'hosted'; success_url: string; cancel_url: string } | { ui: 'embedded'; return_url: string };

/** `isAsked`: by the request; one of the project's defaults is left out where the buyer has had his trials. */
export type CheckoutTrial = { isAsked: boolean; days: number } | { isAsked: true; endsAt: Instant };

/** A request with the project's defaults. */
export type ResolvedCheckout = {
  place: CheckoutPlace;
  trial: CheckoutTrial | null;
  options: Omit<CheckoutDefaults, 'ui_mode' | 'trial_days'>;
  /** The request did not ask for the promotion code: the project's default is it. */
  isDefaultCode: boolean;
  /** The request did not ask for the quantity to be adjustable. */
  isDefaultAdjustable: boolean;
};

const leastTrialMs = 48 * hourMs;
const mostTrialMs = 730 * dayMs;

const notValid = (detail: string, errors: FieldProblem[]): ServiceError =>
  new ServiceError('invalid_request', detail, { errors });

/** The defaults that go with what the request says. */
function fittingDefaults(request: CheckoutRequest, defaults: CheckoutDefaults): CheckoutDefaults {
  const {
    trial_days: days,
    trial_without_card: withoutCard,
    payment_method_collection: collection,
    invoice_creation: invoices,
    promotion_code: code,
    allow_promotion_codes: allow,
    ...others
  } = defaults;
  const ofMode =
    request.mode === 'payment'
      ? { invoice_creation: invoices }
      : {
          trial_without_card: withoutCard,
          payment_method_collection: collection,
          ...(request.trial_end === undefined ? { trial_days: days } : {}),
        };
  const fitting = {
    ...others,
    ...ofMode,
    ...(request.allow_promotion_codes === true ? {} : { promotion_code: code }),
    ...(request.promotion_code === undefined ? { allow_promotion_codes: allow } : {}),
  };
  const given = Object.entries(fitting).filter(([, value]) => value !== undefined);
  return checkoutDefaults.parse(Object.fromEntries(given));
}

const addresses = { hosted: ['success_url', 'cancel_url'], embedded: ['return_url'] } as const;

/** Addresses of a hosted page say that it is wanted, whatever the project's default is. */
function uiOf(request: CheckoutRequest, defaults: CheckoutDefaults): 'hosted' | 'embedded' {
  const names = addresses.hosted.some((name) => request[name] !== undefined);
  return request.ui_mode ?? (names ? 'hosted' : (defaults.ui_mode ?? 'hosted'));
}

function placeOf(request: CheckoutRequest, ui: 'hosted' | 'embedded'): CheckoutPlace {
  const refused = addresses[ui === 'hosted' ? 'embedded' : 'hosted'];
  const errors = [
    ...addresses[ui]
      .filter((name) => request[name] === undefined)
      .map((path) => ({ path, message: `is missing: ui_mode ${ui} needs it` })),
    ...refused
      .filter((name) => request[name] !== undefined)
      .map((path) => ({ path, message: `does not go with ui_mode ${ui}` })),
  ];
  const { success_url: success, cancel_url: cancel, return_url: back } = request;
  if (errors.length === 0 && ui === 'embedded' && back !== undefined) return { ui, return_url: back };
  if (errors.length === 0 && ui === 'hosted' && success !== undefined && cancel !== undefined)
    return { ui, success_url: success, cancel_url: cancel };
  throw notValid('Send the addresses of the page that the buyer pays on.', errors);
}

function trialOf(
  { trial_end: endsAt, trial_days: days }: CheckoutRequest,
  defaultDays: number | undefined,
  now: Instant,
): CheckoutTrial | null {
  if (endsAt !== undefined) {
    if (endsAt < now + leastTrialMs || endsAt > now + mostTrialMs)
      throw notValid('Let the trial end later, or sooner.', [
        { path: 'trial_end', message: 'must be 48 hours to 730 days ahead' },
      ]);
    return { isAsked: true, endsAt };
  }
  if (days !== undefined) return { isAsked: true, days };
  return defaultDays === undefined ? null : { isAsked: false, days: defaultDays };
}

/**
 * What a request asks for, with the project's defaults where it does not say it. A default that contradicts the request
 * counts for nothing. Throws `invalid_request`.
 */
export function resolveCheckout(
  request: CheckoutRequest,
  defaults: CheckoutDefaults,
  now: Instant,
): ResolvedCheckout {
  const fitting = fittingDefaults(request, defaults);
  const { ui_mode: _ui, trial_days: _days, ...options } = checkoutDefaults.parse({ ...fitting, ...request });
  return {
    place: placeOf(request, uiOf(request, defaults)),
    trial: trialOf(request, fitting.trial_days, now),
    options,
    isDefaultCode: request.promotion_code === undefined,
    isDefaultAdjustable: request.adjustable_quantity === undefined,
  };
}

import type { ExplanationOut } from '@billing/domain';

type Reason = ExplanationOut['reason'];

/** Why a source grants or not, as a sentence for who looks at it. */
export const reasonWords: Readonly<Record<Reason, string>> = {
  in_force: 'It is in force.',
  past_due_in_grace: 'The last payment failed; the grace days of the policy are not over.',
  past_due_grace_over: 'The last payment failed, and the grace days of the policy are over.',
  unpaid: 'Stripe gave up collecting the payment, and the policy denies access then.',
  incomplete: 'The first payment was never completed.',
  incomplete_expired: 'The first payment was never completed, and the time for it is over.',
  paused: 'It is paused (a trial that ended without a card, or by hand), and the policy denies access then.',
  canceled: 'It was cancelled and has ended.',
  period_over: 'What was paid for is over, and no later payment is known.',
  not_started: 'It has not started yet.',
  payment_pending: 'The payment is under way, such as a bank transfer.',
  payment_failed: 'The payment failed.',
  refunded: 'So much was refunded that the policy ends access.',
  disputed: 'The payment is disputed, and the policy holds access back.',
  revoked: 'An operator revoked it.',
  buyer_hint: 'Only a buyer typed this user’s id, and the policy does not accept that.',
  unmapped_price: 'Its price is mapped to no product: nobody said what it gives.',
  quantity_zero: 'Its quantity is zero.',
  group_occupied: 'Something else of the same group is in force, so the default is not.',
  state_unknown: 'Only other objects named it: its own state is not known yet.',
};

/** What usually helps; absent: nothing has to be done, or it depends. */
export const reasonHelp: Readonly<Partial<Record<Reason, string>>> = {
  past_due_grace_over: 'The user pays at the portal, or grant what is missing for some days.',
  unpaid: 'The user pays the open invoice at the portal, or grant what is missing for some days.',
  period_over: 'Run a reconcile: a renewal may not have been heard of.',
  buyer_hint: 'Map the customer, or assign the object, when it is the user’s.',
  unmapped_price: 'Add the price to the catalog.',
  state_unknown: 'It is read from Stripe by itself; else run a reconcile.',
};

export const ownerWords: Readonly<Record<NonNullable<ExplanationOut['owner_source']>, string>> = {
  assignment: 'assigned by an operator',
  mapping: 'by the mapping of the Stripe customer',
  metadata: 'by the metadata of the object',
  buyer_hint: 'only by what the buyer typed',
};

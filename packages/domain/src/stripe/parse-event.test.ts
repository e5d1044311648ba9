import {
  apiVersionOf,
  chargeObject,
  customerObject,
  disputeObject,
  invoiceObject,
  paymentIntentObject,
  refundObject,
  sessionObject,
  stripeEvent,
  stripeShapes,
  subscriptionObject,
} from '@billing/testing';
import type { StripeShape } from '@billing/testing';
import { apiReleaseOf, parseStripeEvent } from './parse-event.ts';
import { projectEvent } from './project-event.ts';

const corpus: Record<string, (shape: StripeShape) => object> = {
  'customer.subscription.updated': (shape) =>
    subscriptionObject({ cancelAt: 1_790_000_000, trialEnd: 1_780_000_100, isCollectionPaused: true }, shape),
  'invoice.paid': (shape) => invoiceObject({}, shape),
  'checkout.session.completed': () => sessionObject({ metadata: { user_id: 'ann', secret_note: 'x' } }),
  'payment_intent.succeeded': (shape) => paymentIntentObject({}, shape),
  'charge.refunded': (shape) => chargeObject({ amountRefunded: 100 }, shape),
  'refund.created': () => refundObject(),
  'charge.dispute.created': () => disputeObject(),
  'customer.deleted': () => customerObject(),
};

const eventOf = (type: string, shape: StripeShape) =>
  stripeEvent({ id: 'evt_1', type, object: corpus[type]?.(shape) ?? {}, shape });

function parsed(event: unknown) {
  const result = parseStripeEvent(event);
  if (!result.isEvent) throw new Error(result.detail);
  return result.event;
}

describe.each(Object.keys(corpus))('%s', (type) => {
  it.each(stripeShapes)('reads the same from %s', (shape) => {
    const { object } = parsed(eventOf(type, shape));
    const today = parsed(eventOf(type, 'endive')).object;
    expect(object.kind).not.toBe('invalid');
    expect(object.kind).not.toBe('other');
    expect(object).toEqual(today);
  });

  it.each(stripeShapes)('reads the same when projected, without personal data: %s', (shape) => {
    const event = eventOf(type, shape);
    const projected = projectEvent(event);
    expect(parsed(projected)).toEqual(parsed(event));
    expect(projectEvent(projected)).toEqual(projected);
    expect(JSON.stringify(projected)).not.toMatch(/example\.com|secret_note/);
  });
});

describe('fields that vanish', () => {
  it('are unknown, and never a moment', () => {
    const { items: _items, cancel_at: _cancel, ...bare } = subscriptionObject({}, 'endive');
    const { object } = parsed(stripeEvent({ type: 'customer.subscription.updated', object: bare }));
    expect(object).toMatchObject({
      kind: 'subscription',
      snapshot: { cancelAt: null, items: [], areItemsComplete: false },
    });
  });

  it.each([
    ['no object', { id: 'evt_1', type: 'x', created: 1 }],
    ['no moment', { id: 'evt_1', type: 'x', data: { object: {} } }],
    ['an invalid moment', { id: 'evt_1', type: 'x', created: 1.5, data: { object: {} } }],
    ['nothing', null],
  ])('make no event: %s', (_, event) => {
    expect(parseStripeEvent(event).isEvent).toBe(false);
  });
});

describe('the release of an API version', () => {
  it.each(stripeShapes)('%s', (shape) => {
    expect(apiReleaseOf(apiVersionOf[shape])).toBe(shape);
  });

  it.each([
    ['2022-11-15', 'unnamed'],
    ['2027-03-01.fuchsia', 'unknown'],
    ['2027-03-01', 'unknown'],
    ['anything\nelse', 'unknown'],
    [null, 'none'],
  ])('%s is %s', (version, release) => {
    expect(apiReleaseOf(version)).toBe(release);
  });
});

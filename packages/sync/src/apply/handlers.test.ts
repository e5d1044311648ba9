import { readFileSync } from 'node:fs';
import { handledEventTypes } from '@billing/domain';
import { eventFixtures, stripeEvent, stripeShapes } from '@billing/testing';
import { acceptEvent, handlers } from './handlers.ts';

/** What each type bears on, by the type's own fixture. */
const targets: Record<string, string> = {
  'checkout.session.completed': 'purchase:pi_1',
  'checkout.session.expired': 'ignored:no_effect',
  'checkout.session.async_payment_succeeded': 'purchase:pi_1',
  'checkout.session.async_payment_failed': 'purchase:pi_1',
  'customer.created': 'ignored:no_effect',
  'customer.updated': 'ignored:no_effect',
  'customer.deleted': 'customer_deleted',
  'payment_intent.succeeded': 'purchase:pi_1',
  'payment_intent.payment_failed': 'ignored:no_effect',
  'payment_intent.canceled': 'purchase:pi_1',
};

function expected(type: string): string {
  const named = targets[type];
  if (named !== undefined) return named;
  if (/^(price|product)\./.test(type)) return 'ignored:no_effect';
  return /^(charge|refund)\./.test(type) ? 'purchase:pi_1' : 'subscription:sub_1';
}

function accepted(type: string, shape: (typeof stripeShapes)[number]) {
  const object = eventFixtures[type]?.(shape) ?? {};
  const raw = stripeEvent({ id: 'evt_1', type, object, shape });
  return acceptEvent({ raw, receivedAt: 0 }, { mode: 'test' });
}

describe('the table of handled events', () => {
  it('has one handler and one fixture for each type', () => {
    expect(Object.keys(handlers).sort()).toEqual([...handledEventTypes].sort());
    expect(Object.keys(eventFixtures).sort()).toEqual([...handledEventTypes].sort());
  });

  it('is the table of the docs', () => {
    const docs = readFileSync(new URL('../../../../docs/stripe-events.md', import.meta.url), 'utf8');
    const named = [...docs.matchAll(/^\| `([a-z_.]+\.[a-z_.]+)` /gm)].map(([, type]) => type);
    expect(new Set(named)).toEqual(new Set(handledEventTypes));
    expect(named).toHaveLength(handledEventTypes.length);
  });

  it.each(handledEventTypes)('%s', (type) => {
    const queued = accepted(type, 'endive');
    expect(queued).not.toBeNull();
    const target = queued?.target ?? { kind: 'nothing' };
    const found =
      'id' in target
        ? `${target.kind}:${target.id}`
        : 'status' in target
          ? `${target.status}:${target.reason}`
          : target.kind;
    expect(found).toBe(expected(type));
  });

  it.each(handledEventTypes)('%s means the same in every shape', (type) => {
    const today = accepted(type, 'endive')?.target;
    for (const shape of stripeShapes) expect(accepted(type, shape)?.target).toEqual(today);
  });
});

describe('what is no event of ours', () => {
  const object = eventFixtures['customer.subscription.updated']?.('endive') ?? {};
  it.each([
    [{ isLive: true }, 'test' as const, 'other_mode'],
    [{ isLive: false }, 'live' as const, 'other_mode'],
    [{ account: 'acct_2' }, 'test' as const, 'other_account'],
    [{ isLive: true, account: 'acct_2' }, 'live' as const, 'other_account'],
  ])('%j with a %s key', (parts, mode, reason) => {
    const raw = stripeEvent({ type: 'customer.subscription.updated', object, ...parts });
    expect(acceptEvent({ raw, receivedAt: 0 }, { mode })?.target).toEqual({
      kind: 'none',
      status: 'ignored',
      reason,
    });
  });
});

import { payCheckout } from '../billing/checkout.ts';
import { invalid } from '../errors.ts';
import { behaviourOf, resolveMethod } from '../billing/payment-methods.ts';
import { defineRoute } from '../http/define-route.ts';
import { body, expandOnly, natural, text } from '../http/params.ts';
import type { CheckoutSession } from '../stripe-objects.ts';
import type { World } from '../world.ts';

/** What Stripe's own page reads of a session; not a part of its public API, but the Stripe CLI's `trigger` calls it. */
function pageOf(world: World, session: CheckoutSession): object {
  return {
    id: `ppage_${session.id.slice(-24)}`,
    object: 'checkout.session',
    session_id: session.id,
    currency: session.currency,
    mode: session.mode,
    status: session.status,
    total_summary: {
      due: session.amount_total,
      subtotal: session.amount_subtotal,
      total: session.amount_total,
    },
    line_items: world.tables.checkoutPlans.get(session.id)?.line_items ?? [],
    url: session.url,
  };
}

export const paymentPageRoutes = [
  defineRoute('GET /v1/payment_pages/:id', expandOnly, (world, id) =>
    pageOf(world, world.tables.sessions.require(id)),
  ),
  defineRoute(
    'POST /v1/payment_pages/:id/confirm',
    body({ payment_method: text, expected_amount: natural }),
    (world, id, params) => {
      const session = world.tables.sessions.require(id);
      if (params.expected_amount !== session.amount_total) {
        throw invalid(
          `The expected_amount (${params.expected_amount}) is not what is due (${session.amount_total}).`,
          'expected_amount',
          'checkout_amount_mismatch',
        );
      }
      const method = resolveMethod(world, params.payment_method, 'payment_method');
      if (!session.payment_method_types.includes(String(method.type)))
        throw invalid(`The session does not take ${method.type}.`, 'payment_method');
      const behaviour = behaviourOf(method);
      const isDelayed = behaviour === 'takes_time' || behaviour === 'fails_later';
      return pageOf(world, payCheckout(world, session, { isDelayed, method }));
    },
  ),
];

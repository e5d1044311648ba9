import { cancelPayment, capturePayment } from '../billing/capture.ts';
import { confirmPayment } from '../billing/confirm-payment.ts';
import { attachMethod, resolveMethod } from '../billing/payment-methods.ts';
import { openPaymentIntent } from '../billing/payments.ts';
import { invalid } from '../errors.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import { listBody, mergeMetadata, text } from '../http/params.ts';
import type { PaymentIntent } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import {
  cancelParams,
  captureParams,
  confirmParams,
  createParams,
  updateParams,
  type ConfirmPaymentIntent,
  type CreatePaymentIntent,
  type UpdatePaymentIntent,
} from './payment-intent-params.ts';

/** A payment method of nobody or of this customer. */
function methodFor(world: World, id: string | undefined, customer: string | null): string | null {
  if (id === undefined) return null;
  const method = resolveMethod(world, id, 'payment_method');
  if (method.customer !== null && method.customer !== customer) {
    throw invalid(
      `The PaymentMethod ${id} belongs to a Customer. Please include the Customer in the \`customer\` parameter on the PaymentIntent.`,
      'payment_method',
    );
  }
  return method.id;
}

function create(world: World, params: CreatePaymentIntent): PaymentIntent {
  const { customer = null, automatic_payment_methods: automatic } = params;
  if (customer !== null) world.tables.customers.require(customer, 'customer');
  const confirms = params.confirm === true;
  for (const name of ['return_url', 'mandate_data'] as const) {
    if (params[name] !== undefined && !confirms)
      throw invalid(
        `The parameter ${name} cannot be passed when creating a PaymentIntent unless confirm is set to true.`,
        name,
      );
  }
  const intent = openPaymentIntent(world, {
    amount: params.amount,
    currency: params.currency,
    customer,
    paymentMethod: methodFor(world, params.payment_method, customer),
    metadata: mergeMetadata({}, params.metadata),
    description: params.description ?? null,
    captureMethod: params.capture_method ?? 'automatic_async',
    confirmationMethod: params.confirmation_method ?? 'automatic',
    methodTypes: params.payment_method_types ?? ['card'],
    receiptEmail: params.receipt_email ?? null,
    setupFutureUsage: params.setup_future_usage ?? null,
    shipping: params.shipping ?? null,
    statementDescriptor: params.statement_descriptor ?? null,
    automaticMethods:
      automatic === undefined
        ? null
        : { enabled: automatic.enabled, allow_redirects: automatic.allow_redirects ?? 'always' },
  });
  return confirms ? confirm(world, intent, params) : intent;
}

const unchangeable = ['succeeded', 'canceled', 'processing', 'requires_capture'];

function update(world: World, intent: PaymentIntent, params: UpdatePaymentIntent): PaymentIntent {
  const { metadata, description, ...rest } = params;
  const changesPayment = Object.entries(rest).some(([, value]) => value !== undefined);
  if (changesPayment && unchangeable.includes(String(intent.status))) {
    throw invalid(
      `This PaymentIntent's ${Object.keys(rest).join(', ')} could not be updated because it has a status of ${intent.status}.`,
      undefined,
      'payment_intent_unexpected_state',
    );
  }
  if (params.customer !== undefined) world.tables.customers.require(params.customer, 'customer');
  const method = methodFor(world, params.payment_method, params.customer ?? intent.customer);
  return world.tables.paymentIntents.update(intent, {
    amount: params.amount,
    currency: params.currency,
    customer: params.customer,
    description,
    metadata: mergeMetadata(intent.metadata, metadata),
    payment_method: method ?? undefined,
    payment_method_types: params.payment_method_types,
    receipt_email: params.receipt_email,
    setup_future_usage: params.setup_future_usage,
    shipping: params.shipping,
    statement_descriptor: params.statement_descriptor,
    status: method === null ? undefined : 'requires_confirmation',
  });
}

/** Confirms; a payer who has to be asked is sent to `return_url`, and a card for later use is attached. */
function confirm(world: World, intent: PaymentIntent, params: ConfirmPaymentIntent): PaymentIntent {
  const method = methodFor(world, params.payment_method, intent.customer) ?? intent.payment_method;
  const type = world.tables.paymentMethods.get(method ?? '')?.type;
  if (type === 'sepa_debit' && params.mandate_data === undefined) {
    throw invalid('A bank debit needs the mandate of the payer: pass mandate_data.', 'mandate_data');
  }
  const ready = world.tables.paymentIntents.update(intent, {
    payment_method: method,
    receipt_email: params.receipt_email,
    setup_future_usage: params.setup_future_usage,
    shipping: params.shipping,
  });
  const done = confirmPayment(world, ready);
  if (done.status === 'requires_action' && params.return_url !== undefined) {
    const redirect = { return_url: params.return_url, url: `${world.publicUrl()}/3ds/${done.id}` };
    return world.tables.paymentIntents.update(done, {
      next_action: { type: 'redirect_to_url', redirect_to_url: redirect },
    });
  }
  const card = world.tables.paymentMethods.get(method ?? '');
  if (done.setup_future_usage !== null && done.customer !== null && card !== undefined)
    attachMethod(world, card, done.customer);
  return done;
}

export const paymentIntentRoutes = [
  defineRoute('POST /v1/payment_intents', createParams, (world, _id, params) => create(world, params)),
  defineRoute('POST /v1/payment_intents/:id', updateParams, (world, id, params) =>
    update(world, world.tables.paymentIntents.require(id), params),
  ),
  defineRoute('POST /v1/payment_intents/:id/confirm', confirmParams, (world, id, params) =>
    confirm(world, world.tables.paymentIntents.require(id), params),
  ),
  defineRoute('POST /v1/payment_intents/:id/capture', captureParams, (world, id, params) => {
    const intent = world.tables.paymentIntents.require(id);
    const metadata = mergeMetadata(intent.metadata, params.metadata);
    const paid = capturePayment(world, intent, params.amount_to_capture);
    return params.metadata === undefined ? paid : world.tables.paymentIntents.update(paid, { metadata });
  }),
  defineRoute('POST /v1/payment_intents/:id/cancel', cancelParams, (world, id, params) =>
    cancelPayment(world, world.tables.paymentIntents.require(id), params.cancellation_reason ?? null),
  ),
  ...readRoutes('/v1/payment_intents', 'paymentIntents', {
    params: listBody({ customer: text.optional() }),
    equal: ['customer'],
  }),
];

/** Words of Stripe's paths. Anything else is an id: ids of products and prices can be any text. */
const pathWords = new Set(
  (
    'v1 v2 account accounts attach balance billing billing_portal cancel capture charges checkout close confirm ' +
    'create_preview event_summaries meter_events meters ' +
    'configurations coupons core credit_notes customers detach disputes events expire features finalize ' +
    'invoice_payments invoiceitems invoices line_items lines mark_uncollectible pay payment_intents ' +
    'payment_methods portal prices products promotion_codes refund refunds release resume search sessions ' +
    'setup_intents subscription_items subscription_schedules subscriptions test_clocks test_helpers upcoming ' +
    'void advance'
  ).split(' '),
);

/** A bounded metric label for a Stripe request: `GET /v1/subscriptions/:id`. */
export function operationLabel(method: string, path: string): string {
  const [pathname = ''] = path.split('?', 1);
  const segments = pathname.split('/').map((part) => (part === '' || pathWords.has(part) ? part : ':id'));
  return `${method.toUpperCase()} ${segments.join('/')}`;
}

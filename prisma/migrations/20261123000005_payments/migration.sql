-- The snapshot that a subscription's owner was named by, and the invoice of the period now running.
ALTER TABLE "subscriptions"
    ADD COLUMN "claims_at" TIMESTAMPTZ(3),
    ADD COLUMN "period_invoice_id" TEXT COLLATE "C",
    ADD COLUMN "period_invoice_at" TIMESTAMPTZ(3);

-- A payment keeps what each object said about it, so that its other fields are the same in any order of
-- arrival; the invoice that it paid links it to a subscription's period.
ALTER TABLE "purchases"
    ADD COLUMN "invoice_id" TEXT COLLATE "C",
    ADD COLUMN "is_invoiceless" BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN "snapshot_at" TIMESTAMPTZ(3),
    ADD COLUMN "record" JSONB NOT NULL DEFAULT '{}',
    ADD COLUMN "missing_in_stripe_at" TIMESTAMPTZ(3);

-- Rows from before told only the sums: they stand for one newest charge and one voice.
UPDATE "purchases" SET
    "snapshot_at" = (SELECT "created" FROM "stripe_events" WHERE "event_id" = "snapshot_event_id"),
    "record" = jsonb_build_object(
        'said', jsonb_build_object('charge', jsonb_build_object(
            'at', 0, 'eventId', '', 'customerId', "stripe_customer_id",
            'claims', jsonb_build_object('projectId', "claimed_project_id", 'userId', "claimed_user_id"),
            'amount', "amount", 'currency', "currency",
            'items', (SELECT jsonb_agg(jsonb_build_object('stripePriceId', "stripe_price_id", 'quantity', "quantity"))
                      FROM "purchase_items" WHERE "purchase_id" = "id"))),
        'lineItems', NULL, 'chargeAmount', NULL,
        'money', jsonb_build_object('refunds', '{}'::jsonb, 'disputes', '{}'::jsonb, 'charge',
            CASE WHEN "refund_snapshot_at" IS NOT NULL THEN jsonb_build_object(
                'at', (extract(epoch FROM "refund_snapshot_at") * 1000)::bigint,
                'amountRefunded', "amount_refunded", 'isRead', false) END));

ALTER TABLE "purchases" DROP COLUMN "refund_snapshot_at";

-- From an invoice to its payment, and from a payment to the subscription whose period it paid.
CREATE INDEX "purchases_invoice_id_idx" ON "purchases" ("invoice_id") WHERE "invoice_id" IS NOT NULL;
CREATE INDEX "subscriptions_period_invoice_idx" ON "subscriptions" (coalesce("period_invoice_id", "latest_invoice_id"));

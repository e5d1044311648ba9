-- What an invoice paid for is kept with its payment: its subscription, and in "record" the periods that it billed.
-- A purchase's own invoice (of a session) gets a column of its own: "invoice_id" makes a payment no purchase.
ALTER TABLE "purchases"
    ADD COLUMN "subscription_id" TEXT COLLATE "C",
    ADD COLUMN "receipt_invoice_id" TEXT COLLATE "C";

-- Until they are looked up, refunds and disputes of a subscription's newest period count for the items that it has now,
-- as they did before.
UPDATE "purchases" AS p SET
    "subscription_id" = s."id",
    "record" = p."record" || jsonb_build_object('invoice', jsonb_build_object(
        'id', p."invoice_id", 'subscriptionId', s."id", 'isAssumed', true, 'sold', '[]'::jsonb,
        'total', (SELECT CASE WHEN bool_and(x."amount" IS NOT NULL) THEN sum(x."amount") END
                  FROM "purchases" x
                  WHERE x."invoice_id" = p."invoice_id" AND (x."amount_refunded" > 0 OR x."dispute_status" IS NOT NULL)),
        'covers', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                       'itemId', i."item_id", 'stripePriceId', i."stripe_price_id",
                       'periodStart', round(extract(epoch FROM i."current_period_start") * 1000),
                       'periodEnd', round(extract(epoch FROM i."current_period_end") * 1000))), '[]'::jsonb)
                   FROM "subscription_items" i
                   WHERE i."subscription_id" = s."id"
                     AND i."current_period_start" IS NOT NULL AND i."current_period_end" IS NOT NULL)))
FROM "subscriptions" s
WHERE p."invoice_id" IS NOT NULL AND (p."amount_refunded" > 0 OR p."dispute_status" IS NOT NULL)
  AND coalesce(s."period_invoice_id", s."latest_invoice_id") = p."invoice_id";

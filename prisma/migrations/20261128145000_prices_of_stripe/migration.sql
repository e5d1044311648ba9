-- Prices in all of Stripe's intervals, with or without a fixed amount, and compared with Stripe's.
ALTER TABLE "prices" ALTER COLUMN "amount" DROP NOT NULL;
ALTER TABLE "prices"
    ADD COLUMN "interval_count" INTEGER NOT NULL DEFAULT 1,
    ADD COLUMN "usage_type" TEXT,
    ADD COLUMN "verified_at" TIMESTAMPTZ(3),
    ADD COLUMN "verify_at" TIMESTAMPTZ(3) DEFAULT CURRENT_TIMESTAMP,
    ADD COLUMN "verify_attempts" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "verify_problem" TEXT;
ALTER TABLE "prices"
    DROP CONSTRAINT "prices_interval",
    ADD CONSTRAINT "prices_interval" CHECK ("interval" IN ('day', 'week', 'month', 'year', 'one_time')),
    ADD CONSTRAINT "prices_interval_count" CHECK ("interval_count" >= 1 AND ("interval_count" = 1 OR "interval" <> 'one_time')),
    ADD CONSTRAINT "prices_usage_type" CHECK ("usage_type" IS NULL OR ("usage_type" IN ('licensed', 'metered') AND "interval" <> 'one_time')),
    ADD CONSTRAINT "prices_verify_problem" CHECK ("verify_problem" IN ('differs', 'missing'));

CREATE INDEX "prices_verify_at_idx" ON "prices"("verify_at");

-- What an item costs, as Stripe renders its price with it; rows of older versions get it from the next event or reconcile.
ALTER TABLE "subscription_items"
    ADD COLUMN "unit_amount" TEXT,
    ADD COLUMN "currency" TEXT,
    ADD COLUMN "interval" TEXT,
    ADD COLUMN "interval_count" INTEGER,
    ADD COLUMN "usage_type" TEXT,
    ADD COLUMN "billed_quantity" BIGINT;

ALTER TABLE "subscriptions"
    ADD COLUMN "pause_behavior" TEXT,
    ADD COLUMN "discounts" JSONB;

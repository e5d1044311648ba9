-- Stripe repeats a server error for a day under the same idempotency key: after one, making the customer
-- goes on under a new key, and all requests of the user agree on it through this number.
ALTER TABLE "users" ADD COLUMN "customer_attempt" INTEGER NOT NULL DEFAULT 0;

-- Concurrent first checkouts make one customer.
CREATE UNIQUE INDEX "customers_one_from_checkout" ON "customers" ("user_ref") WHERE "source" = 'checkout' AND "deleted_at" IS NULL;

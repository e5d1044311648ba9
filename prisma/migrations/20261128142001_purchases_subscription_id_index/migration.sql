-- From a subscription to the payments of its invoices.
CREATE INDEX CONCURRENTLY "purchases_subscription_id_idx" ON "purchases" ("subscription_id") WHERE "subscription_id" IS NOT NULL;

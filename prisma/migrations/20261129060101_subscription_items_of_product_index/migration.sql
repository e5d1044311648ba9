-- By a Stripe product: what a mapping of it releases.
CREATE INDEX CONCURRENTLY "subscription_items_stripe_product_id_idx" ON "subscription_items" ("stripe_product_id");

-- By a Stripe product: what a mapping of it releases.
CREATE INDEX CONCURRENTLY "purchase_items_stripe_product_id_idx" ON "purchase_items" ("stripe_product_id");

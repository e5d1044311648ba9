-- Stripe's product belongs to one product of one project.
CREATE UNIQUE INDEX CONCURRENTLY "products_stripe_product_id_key" ON "products" ("stripe_product_id");

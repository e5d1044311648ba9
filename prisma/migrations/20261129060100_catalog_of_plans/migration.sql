-- Plans: products of one group exclude each other, a default one is everybody's while no other of its group is in force, and all
-- prices of a Stripe product may be a product's. Old processes know none of it: for them these products are as before.
ALTER TABLE "products"
    ADD COLUMN "plan_group" TEXT COLLATE "C",
    ADD COLUMN "rank" INTEGER,
    ADD COLUMN "is_default" BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN "max_trials_per_user" INTEGER,
    ADD COLUMN "stripe_product_id" TEXT COLLATE "C",
    ADD COLUMN "access_days" INTEGER;

-- What checkouts and the portal do where a request does not say it.
ALTER TABLE "projects"
    ADD COLUMN "checkout_defaults" JSONB NOT NULL DEFAULT '{}',
    ADD COLUMN "portal_configuration" TEXT COLLATE "C";

-- The Stripe product of an item's price; null: not heard.
ALTER TABLE "subscription_items" ADD COLUMN "stripe_product_id" TEXT COLLATE "C";
ALTER TABLE "purchase_items" ADD COLUMN "stripe_product_id" TEXT COLLATE "C";

-- The sums of a project count what is sold by its Stripe product.
CREATE TRIGGER "note_item_product" AFTER UPDATE ON "subscription_items"
    FOR EACH ROW WHEN (OLD."stripe_product_id" IS DISTINCT FROM NEW."stripe_product_id")
    EXECUTE FUNCTION "note_item_change"();

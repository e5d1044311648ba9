CREATE TRIGGER "note_inserted_item" AFTER INSERT ON "subscription_items"
    FOR EACH ROW EXECUTE FUNCTION "note_item_change"();

CREATE TRIGGER "note_updated_item" AFTER UPDATE ON "subscription_items"
    FOR EACH ROW WHEN (
        OLD."subscription_id" <> NEW."subscription_id" OR OLD."item_id" <> NEW."item_id"
        OR OLD."stripe_price_id" IS DISTINCT FROM NEW."stripe_price_id"
        OR OLD."quantity" IS DISTINCT FROM NEW."quantity"
        OR OLD."billed_quantity" IS DISTINCT FROM NEW."billed_quantity"
        OR OLD."unit_amount" IS DISTINCT FROM NEW."unit_amount" OR OLD."currency" IS DISTINCT FROM NEW."currency"
        OR OLD."interval" IS DISTINCT FROM NEW."interval"
        OR OLD."interval_count" IS DISTINCT FROM NEW."interval_count"
        OR OLD."usage_type" IS DISTINCT FROM NEW."usage_type"
        OR OLD."current_period_start" IS DISTINCT FROM NEW."current_period_start")
    EXECUTE FUNCTION "note_item_change"();

CREATE TRIGGER "note_deleted_item" AFTER DELETE ON "subscription_items"
    FOR EACH ROW EXECUTE FUNCTION "note_item_change"();

CREATE TRIGGER "note_truncated_items" AFTER TRUNCATE ON "subscription_items"
    FOR EACH STATEMENT EXECUTE FUNCTION "note_all_subscriptions"();

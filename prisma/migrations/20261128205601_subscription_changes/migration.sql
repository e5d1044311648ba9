-- The lock waits for writers of the table, and they for it: nothing else happens in this transaction.
CREATE TRIGGER "note_inserted_subscription" AFTER INSERT ON "subscriptions"
    FOR EACH ROW EXECUTE FUNCTION "note_subscription_change"();

CREATE TRIGGER "note_updated_subscription" AFTER UPDATE ON "subscriptions"
    FOR EACH ROW WHEN (
        OLD."id" <> NEW."id" OR OLD."status" IS DISTINCT FROM NEW."status"
        OR OLD."user_ref" IS DISTINCT FROM NEW."user_ref"
        OR OLD."past_due_since" IS DISTINCT FROM NEW."past_due_since"
        OR OLD."collection_paused" IS DISTINCT FROM NEW."collection_paused"
        OR OLD."pause_behavior" IS DISTINCT FROM NEW."pause_behavior"
        OR OLD."discounts" IS DISTINCT FROM NEW."discounts")
    EXECUTE FUNCTION "note_subscription_change"();

CREATE TRIGGER "note_deleted_subscription" AFTER DELETE ON "subscriptions"
    FOR EACH ROW EXECUTE FUNCTION "note_subscription_change"();

CREATE TRIGGER "note_truncated_subscriptions" AFTER TRUNCATE ON "subscriptions"
    FOR EACH STATEMENT EXECUTE FUNCTION "note_all_subscriptions"();

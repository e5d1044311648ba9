CREATE TRIGGER "note_inserted_owner" AFTER INSERT ON "object_owners"
    FOR EACH ROW EXECUTE FUNCTION "note_owner_change"();

CREATE TRIGGER "note_updated_owner" AFTER UPDATE ON "object_owners"
    FOR EACH ROW WHEN (OLD."object_id" <> NEW."object_id" OR OLD."project_id" <> NEW."project_id")
    EXECUTE FUNCTION "note_owner_change"();

CREATE TRIGGER "note_deleted_owner" AFTER DELETE ON "object_owners"
    FOR EACH ROW EXECUTE FUNCTION "note_owner_change"();

CREATE TRIGGER "note_truncated_owners" AFTER TRUNCATE ON "object_owners"
    FOR EACH STATEMENT EXECUTE FUNCTION "note_all_subscriptions"();

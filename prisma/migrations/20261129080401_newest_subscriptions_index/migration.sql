-- Lists of subscriptions begin with the newest.
CREATE INDEX CONCURRENTLY "subscriptions_created_at_id_idx" ON "subscriptions" ("created_at", "id");

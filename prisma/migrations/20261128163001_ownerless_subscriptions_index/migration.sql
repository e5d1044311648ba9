-- An erasure finds what only names the user: a few rows.
CREATE INDEX CONCURRENTLY "subscriptions_ownerless_claimed_user_id_idx" ON "subscriptions" ("claimed_user_id") WHERE "user_ref" IS NULL AND "claimed_user_id" IS NOT NULL;

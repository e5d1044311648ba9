-- From a checkout session to its payment, and the list of what is owned by a buyer's hint only (empty as yet). Writes of these
-- tables wait meanwhile: about a second for a million rows.
CREATE INDEX "purchases_session_id_idx" ON "purchases" ("session_id");
CREATE INDEX "purchases_claimed_user_source_id_idx" ON "purchases" ("claimed_user_source", "id") WHERE "claimed_user_source" = 'buyer_hint';
CREATE INDEX "subscriptions_claimed_user_source_id_idx" ON "subscriptions" ("claimed_user_source", "id") WHERE "claimed_user_source" = 'buyer_hint';

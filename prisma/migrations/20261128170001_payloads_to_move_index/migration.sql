-- Payloads that are still in the ledger itself: the worker moves them, and then it is empty.
CREATE INDEX CONCURRENTLY IF NOT EXISTS "stripe_events_payloads_to_move_idx" ON "stripe_events" ("received_at", "event_id") WHERE "payload" IS NOT NULL;

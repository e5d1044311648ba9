-- Most events are applied, and those are listed by their time alone.
CREATE INDEX CONCURRENTLY IF NOT EXISTS "stripe_events_not_applied_idx" ON "stripe_events" ("status", "processed_at", "event_id") WHERE "status" <> 'applied';

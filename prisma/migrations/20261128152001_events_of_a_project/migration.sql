CREATE INDEX CONCURRENTLY IF NOT EXISTS "stripe_events_project_id_processed_at_event_id_idx" ON "stripe_events"("project_id", "processed_at", "event_id");

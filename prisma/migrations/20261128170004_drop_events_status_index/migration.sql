DROP INDEX CONCURRENTLY IF EXISTS "stripe_events_status_processed_at_event_id_idx";

-- Most events have none: Stripe sends no `traceparent`.
CREATE INDEX CONCURRENTLY IF NOT EXISTS "stripe_events_trace_id_idx" ON "stripe_events" ("trace_id") WHERE "trace_id" IS NOT NULL;

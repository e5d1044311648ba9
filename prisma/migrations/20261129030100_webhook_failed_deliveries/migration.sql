-- What failed at an endpoint, among very many that did not.
CREATE INDEX CONCURRENTLY IF NOT EXISTS "webhook_deliveries_failed_idx" ON "webhook_deliveries" ("endpoint_id", "id") WHERE "status" = 'failed';

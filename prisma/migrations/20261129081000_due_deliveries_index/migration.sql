-- Many deliveries of one moment, as a change of the catalog makes them: the first of them are read without sorting all.
CREATE INDEX CONCURRENTLY "webhook_deliveries_due_order_idx" ON "webhook_deliveries" ("endpoint_id", "next_try_at", "id")
  WHERE "status" = 'pending';

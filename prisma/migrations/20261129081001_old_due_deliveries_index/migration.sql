-- The index before this one begins with its columns.
DROP INDEX CONCURRENTLY IF EXISTS "webhook_deliveries_due_idx";

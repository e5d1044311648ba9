-- None of these blocks readers or writers, and none rewrites a table: room is left on pages that are filled from now on.
-- Measured reasons: docs/decisions/0022.

-- Rows that every event changes: their next version fits on the same page, and no index is written.
ALTER TABLE "users" SET (fillfactor = 95, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE "subscriptions" SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE "subscription_items" SET (fillfactor = 95, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE "purchases" SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);

-- Tables whose rows live for a moment, or all change within a day.
ALTER TABLE "cache_invalidations" SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0,
    vacuum_truncate = off);
ALTER TABLE "idempotency_keys" SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE "run_objects" SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- A fifth of the ledger, after which the default begins, would be the deletions of months.
ALTER TABLE "stripe_events" SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02);

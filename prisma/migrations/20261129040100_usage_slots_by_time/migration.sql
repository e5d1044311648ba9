-- Rows come in the order of time: what is over lies together, and is found without a look at the rest.
CREATE INDEX CONCURRENTLY "usage_slots_start_idx" ON "usage_slots" USING BRIN ("start");

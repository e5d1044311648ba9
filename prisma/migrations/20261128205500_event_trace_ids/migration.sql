-- The trace of the request that brought the event; null: none, or the request was not traced.
ALTER TABLE "stripe_events" ADD COLUMN "trace_id" TEXT;

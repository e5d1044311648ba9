-- Which Redis servers hold the cache, as all processes agree on it: one row. A shard is a part of the cache that one
-- server has; its epoch grows each time that a process comes to use another server for it, so that no server is
-- believed for what it was told before others took its place.
CREATE TABLE "cache_generation" (
    "is_only" BOOLEAN NOT NULL DEFAULT true,
    "servers" TEXT[] NOT NULL DEFAULT '{}',
    "epochs" BIGINT[] NOT NULL DEFAULT '{}',
    "epoch" BIGINT NOT NULL DEFAULT 0,
    "changed_at" TIMESTAMPTZ(3),

    CONSTRAINT "cache_generation_pkey" PRIMARY KEY ("is_only"),
    CONSTRAINT "cache_generation_is_only" CHECK ("is_only")
);
INSERT INTO "cache_generation" DEFAULT VALUES;

-- The server that each process uses for each shard; empty: none. Rows that are not renewed count no more.
CREATE TABLE "cache_processes" (
    "process_id" TEXT NOT NULL,
    "servers" TEXT[] NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "cache_processes_pkey" PRIMARY KEY ("process_id")
);

-- Rewritten every few seconds.
ALTER TABLE "cache_processes" SET (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- The Redis of the queue at which the last change was noticed: another one begins a sweep.
ALTER TABLE "event_sweeps" ADD COLUMN "queue_server" TEXT;

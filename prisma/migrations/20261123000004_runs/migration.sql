-- Work that an administrator or the calendar starts and that may take minutes: it is kept here, not in Redis,
-- so that it outlives every process and can be looked at. `state` is how far it got.
CREATE TABLE "runs" (
    "id" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'running',
    "dry_run" BOOLEAN NOT NULL DEFAULT false,
    "project_id" TEXT COLLATE "C",
    "params" JSONB NOT NULL DEFAULT '{}',
    "state" JSONB NOT NULL DEFAULT '{}',
    "result" JSONB NOT NULL DEFAULT '{}',
    "error" TEXT,
    "requested_by" TEXT NOT NULL,
    -- Who works on it, and until when nobody else may.
    "locked_by" TEXT,
    "locked_until" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    -- Last time that it got on: without any for long it is given up.
    "progress_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "runs_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "runs_kind_check" CHECK ("kind" IN ('reconcile', 'replay', 'replay_event')),
    CONSTRAINT "runs_status_check" CHECK ("status" IN ('running', 'done', 'failed'))
);

CREATE INDEX "runs_status_created_at_id_idx" ON "runs" ("status", "created_at", "id");

-- What a reconcile run met in Stripe's lists: our rows that are not among them are asked for one by one.
CREATE TABLE "run_objects" (
    "run_id" TEXT COLLATE "C" NOT NULL,
    "object_id" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "run_objects_pkey" PRIMARY KEY ("run_id", "object_id"),
    CONSTRAINT "run_objects_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "runs" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- Up to where Stripe's event list was searched, by mode; one worker at a time.
CREATE TABLE "event_sweeps" (
    "mode" TEXT NOT NULL,
    "swept_to" TIMESTAMPTZ(3),
    "state" JSONB NOT NULL DEFAULT '{}',
    "locked_by" TEXT,
    "locked_until" TIMESTAMPTZ(3),
    "succeeded_at" TIMESTAMPTZ(3),

    CONSTRAINT "event_sweeps_pkey" PRIMARY KEY ("mode")
);

-- Usage of limits and metered features. Every row names its user, and none refers outside: the tables can be spread over
-- several servers by the user. What is allowed is derived; only what was used is stored.

-- One row for each user and feature that was ever used. Its lock is what decisions about them take turns by.
CREATE TABLE "usage_states" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "user_id" TEXT COLLATE "C" NOT NULL,
    "feature_code" TEXT COLLATE "C" NOT NULL,
    "usage_seq" BIGINT NOT NULL DEFAULT 0,
    "level" BIGINT NOT NULL DEFAULT 0,
    "level_observed_at" TIMESTAMPTZ(3),
    "open_holds" INTEGER NOT NULL DEFAULT 0,
    "holds_due_at" TIMESTAMPTZ(3),
    "buckets" JSONB NOT NULL DEFAULT '[]',

    CONSTRAINT "usage_states_pkey" PRIMARY KEY ("project_id", "user_id", "feature_code"),
    CONSTRAINT "usage_states_level_check" CHECK ("level" >= 0),
    CONSTRAINT "usage_states_open_holds_check" CHECK ("open_holds" >= 0)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

-- Reservations that are due.
CREATE INDEX "usage_states_holds_due_at_idx" ON "usage_states" ("holds_due_at") WHERE "holds_due_at" IS NOT NULL;

-- Buckets whose period is over: for late usage and corrections.
CREATE TABLE "usage_ended_buckets" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "user_id" TEXT COLLATE "C" NOT NULL,
    "feature_code" TEXT COLLATE "C" NOT NULL,
    "bucket_key" TEXT COLLATE "C" NOT NULL,
    "ended_at" TIMESTAMPTZ(3) NOT NULL,
    "bucket" JSONB NOT NULL,

    CONSTRAINT "usage_ended_buckets_pkey" PRIMARY KEY ("project_id", "user_id", "feature_code", "bucket_key")
);

CREATE INDEX "usage_ended_buckets_ended_at_idx" ON "usage_ended_buckets" ("ended_at");

-- What was used, by the week in which it was recorded (UTC, from Monday). A week leaves by dropping its partition. There is no
-- default partition: making a week would lock it, and fail where it holds rows of that week.
CREATE TABLE "usage_events" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "user_id" TEXT COLLATE "C" NOT NULL,
    "feature_code" TEXT COLLATE "C" NOT NULL,
    "usage_seq" BIGINT NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL,
    "event_id" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT NOT NULL,
    "mode" TEXT NOT NULL,
    "quantity" BIGINT NOT NULL,
    "happened_at" TIMESTAMPTZ(3) NOT NULL,
    "corrects" TEXT COLLATE "C",
    "corrected" BIGINT NOT NULL DEFAULT 0,
    "parts" JSONB NOT NULL,
    "level" JSONB,
    "allowed" BOOLEAN NOT NULL,
    "reason" TEXT NOT NULL,
    "body_digest" TEXT NOT NULL,
    "properties" JSONB,

    CONSTRAINT "usage_events_pkey" PRIMARY KEY ("project_id", "user_id", "feature_code", "usage_seq", "recorded_at")
) PARTITION BY RANGE ("recorded_at");

-- Which event has an id: ids are the project's, whoever used it, so that the state's row alone cannot keep them apart.
CREATE TABLE "usage_event_ids" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "event_id" TEXT COLLATE "C" NOT NULL,
    "user_id" TEXT COLLATE "C" NOT NULL,
    "feature_code" TEXT COLLATE "C" NOT NULL,
    "usage_seq" BIGINT NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "usage_event_ids_pkey" PRIMARY KEY ("project_id", "event_id")
);

-- Rows come in the order of time: what is over lies together.
CREATE INDEX "usage_event_ids_recorded_at_idx" ON "usage_event_ids" USING BRIN ("recorded_at");

-- The series, by quarters of an hour: hours, and days of all zones, are sums of these.
CREATE TABLE "usage_slots" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "user_id" TEXT COLLATE "C" NOT NULL,
    "feature_code" TEXT COLLATE "C" NOT NULL,
    "start" TIMESTAMPTZ(3) NOT NULL,
    "quantity" BIGINT NOT NULL,
    "overage" BIGINT NOT NULL,

    CONSTRAINT "usage_slots_pkey" PRIMARY KEY ("project_id", "user_id", "feature_code", "start")
) WITH (fillfactor = 80);

CREATE TABLE "usage_reservations" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "reservation_id" TEXT COLLATE "C" NOT NULL,
    "user_id" TEXT COLLATE "C" NOT NULL,
    "feature_code" TEXT COLLATE "C" NOT NULL,
    "quantity" BIGINT NOT NULL,
    "parts" JSONB NOT NULL,
    "on_expiry" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "confirmed" JSONB,
    "body_digest" TEXT NOT NULL,

    CONSTRAINT "usage_reservations_pkey" PRIMARY KEY ("project_id", "reservation_id"),
    CONSTRAINT "usage_reservations_state_check" CHECK ("state" IN ('held', 'confirmed', 'released', 'expired', 'charged'))
);

CREATE INDEX "usage_reservations_held_idx"
    ON "usage_reservations" ("project_id", "user_id", "feature_code", "expires_at") WHERE "state" = 'held';
CREATE INDEX "usage_reservations_user_idx" ON "usage_reservations" ("project_id", "user_id");
CREATE INDEX "usage_reservations_over_idx" ON "usage_reservations" ("expires_at") WHERE "state" <> 'held';

-- Thresholds (in percent; NULL: the limit) that a commit reached.
CREATE TABLE "usage_crossings" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "user_id" TEXT COLLATE "C" NOT NULL,
    "feature_code" TEXT COLLATE "C" NOT NULL,
    "usage_seq" BIGINT NOT NULL,
    "position" INTEGER NOT NULL,
    "threshold" INTEGER,
    "used" BIGINT NOT NULL,
    "granted" BIGINT NOT NULL,
    "source" TEXT NOT NULL,
    "source_id" TEXT NOT NULL,
    "period_start" TIMESTAMPTZ(3),
    "period_end" TIMESTAMPTZ(3),
    "crossed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "usage_crossings_pkey" PRIMARY KEY ("project_id", "user_id", "feature_code", "usage_seq", "position")
);

CREATE INDEX "usage_crossings_crossed_at_idx" ON "usage_crossings" ("crossed_at");

-- Usage that was queued while Postgres was away, and refused when it was applied.
CREATE TABLE "usage_refusals" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "user_id" TEXT COLLATE "C" NOT NULL,
    "event_id" TEXT COLLATE "C" NOT NULL,
    "feature_code" TEXT COLLATE "C" NOT NULL,
    "refused_at" TIMESTAMPTZ(3) NOT NULL,
    "code" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    "request" JSONB NOT NULL,

    CONSTRAINT "usage_refusals_pkey" PRIMARY KEY ("project_id", "user_id", "event_id")
);

CREATE INDEX "usage_refusals_project_id_refused_at_idx" ON "usage_refusals" ("project_id", "refused_at");
CREATE INDEX "usage_refusals_refused_at_idx" ON "usage_refusals" ("refused_at");

-- Makes the partition of the week that a day lies in; false: it is there. Attaching a table blocks neither readers nor writers,
-- which CREATE TABLE … PARTITION OF does. Fails (55P03) rather than wait long for a lock.
CREATE FUNCTION "make_usage_events_partition"("period" DATE) RETURNS BOOLEAN
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    first_day timestamp := date_trunc('week', period::timestamp);
    name text := 'usage_events_' || to_char(first_day, 'YYYY_MM_DD');
BEGIN
    IF period IS NULL OR first_day < '2000-01-01'::timestamp OR first_day >= '3000-01-01'::timestamp THEN
        RAISE EXCEPTION 'no week between the years 2000 and 2999' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('usage_events'));
    IF to_regclass('public.' || name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.usage_events INCLUDING ALL)', name);
    EXECUTE format(
        'ALTER TABLE public.usage_events ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        name,
        to_char(first_day, 'YYYY-MM-DD') || ' 00:00:00+00',
        to_char(first_day + make_interval(days => 7), 'YYYY-MM-DD') || ' 00:00:00+00');
    RETURN true;
END
$$;

-- Drops the partition of a week; false: there is none. A week that is not over for a day is refused: of that, other processes
-- may still write. Fails (55P03) rather than wait long for a lock.
CREATE FUNCTION "drop_usage_events_partition"("period" DATE) RETURNS BOOLEAN
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    first_day timestamp := date_trunc('week', period::timestamp);
    name text := 'usage_events_' || to_char(first_day, 'YYYY_MM_DD');
BEGIN
    IF period IS NULL OR first_day + make_interval(days => 8) > (now() AT TIME ZONE 'UTC') THEN
        RAISE EXCEPTION 'a week of usage is kept for a day after its end' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('usage_events'));
    IF to_regclass('public.' || name) IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TABLE public.%I', name);
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION "make_usage_events_partition"(DATE) FROM PUBLIC;
REVOKE ALL ON FUNCTION "drop_usage_events_partition"(DATE) FROM PUBLIC;

SELECT "make_usage_events_partition"(((now() AT TIME ZONE 'UTC') + make_interval(weeks => "week"))::date)
FROM generate_series(-1, 5) AS "week";

-- Payloads of the ledger's events, by the month in which the event was received (UTC). A month leaves by dropping its partition.
-- There is no default partition: making a month would lock it, and fail where it holds rows of that month.
CREATE TABLE "stripe_event_payloads" (
    "event_id" TEXT COLLATE "C" NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "payload" JSONB NOT NULL,

    CONSTRAINT "stripe_event_payloads_pkey" PRIMARY KEY ("event_id", "received_at")
) PARTITION BY RANGE ("received_at");

-- Makes the partition of the month that a day lies in; false: it is there. Attaching a table blocks neither readers nor writers,
-- which CREATE TABLE … PARTITION OF does. Fails (55P03) rather than wait long for a lock.
CREATE FUNCTION "make_stripe_event_payloads_partition"("period" DATE) RETURNS BOOLEAN
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    first_day timestamp := date_trunc('month', period::timestamp);
    name text := 'stripe_event_payloads_' || to_char(first_day, 'YYYY_MM');
BEGIN
    IF period IS NULL OR first_day < '2000-01-01'::timestamp OR first_day >= '3000-01-01'::timestamp THEN
        RAISE EXCEPTION 'no month between the years 2000 and 2999' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('stripe_event_payloads'));
    IF to_regclass('public.' || name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.stripe_event_payloads INCLUDING ALL)', name);
    EXECUTE format(
        'ALTER TABLE public.stripe_event_payloads ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        name,
        to_char(first_day, 'YYYY-MM-DD') || ' 00:00:00+00',
        to_char(first_day + make_interval(months => 1), 'YYYY-MM-DD') || ' 00:00:00+00');
    RETURN true;
END
$$;

-- Drops the partition of a month; false: there is none. A clock that is wrong must not cost payloads: EVENT_RETENTION_DAYS is
-- at least 31, so a month that ended later is refused. Fails (55P03) rather than wait long for a lock.
CREATE FUNCTION "drop_stripe_event_payloads_partition"("period" DATE) RETURNS BOOLEAN
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    first_day timestamp := date_trunc('month', period::timestamp);
    name text := 'stripe_event_payloads_' || to_char(first_day, 'YYYY_MM');
BEGIN
    IF period IS NULL OR first_day + make_interval(months => 1) > (now() AT TIME ZONE 'UTC') - make_interval(days => 31) THEN
        RAISE EXCEPTION 'a month of payloads is kept for 31 days after its end' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('stripe_event_payloads'));
    IF to_regclass('public.' || name) IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TABLE public.%I', name);
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION "make_stripe_event_payloads_partition"(DATE) FROM PUBLIC;
REVOKE ALL ON FUNCTION "drop_stripe_event_payloads_partition"(DATE) FROM PUBLIC;

-- Events of the last month may still be in the queue.
SELECT "make_stripe_event_payloads_partition"(((now() AT TIME ZONE 'UTC') + make_interval(months => "month"))::date)
FROM generate_series(-1, 3) AS "month";

-- Sums of each project's subscriptions, and what they are made of: docs/decisions/0027.

-- Subscriptions that changed since the sums were last brought up to date: rows are only added and taken away, so that no
-- writer of a subscription waits for another.
CREATE TABLE "subscription_changes" (
    "id" BIGSERIAL NOT NULL,
    "subscription_id" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "subscription_changes_pkey" PRIMARY KEY ("id")
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_vacuum_insert_threshold = -1, vacuum_truncate = off);

-- What of each subscription the sums contain.
CREATE TABLE "summed_subscriptions" (
    "subscription_id" TEXT COLLATE "C" NOT NULL,
    "project_id" TEXT COLLATE "C" NOT NULL,
    "sum_key" UUID NOT NULL,
    "quantities" BIGINT[] NOT NULL,

    CONSTRAINT "summed_subscriptions_pkey" PRIMARY KEY ("subscription_id", "project_id")
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05);

-- One row for all subscriptions of a project that are alike.
CREATE TABLE "subscription_sums" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "sum_key" UUID NOT NULL,
    "status" TEXT NOT NULL,
    "past_due_since" TIMESTAMPTZ(3),
    "terms_key" UUID,
    "discount_ends" BIGINT[] NOT NULL,
    "subscriptions" BIGINT NOT NULL,
    "quantities" DECIMAL(38, 0)[] NOT NULL,

    CONSTRAINT "subscription_sums_pkey" PRIMARY KEY ("project_id", "sum_key")
) WITH (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_cost_delay = 0);

-- What subscriptions pay by: prices, discounts and, with discounts, quantities.
CREATE TABLE "subscription_terms" (
    "terms_key" UUID NOT NULL,
    "terms" JSONB NOT NULL,

    CONSTRAINT "subscription_terms_pkey" PRIMARY KEY ("terms_key")
);

-- How far the subscriptions that were there before are summed, by their ids; one row.
CREATE TABLE "subscription_sums_state" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "summed_to" TEXT COLLATE "C" NOT NULL DEFAULT '',
    "completed_at" TIMESTAMPTZ(3),

    CONSTRAINT "subscription_sums_state_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "subscription_sums_state_one_row" CHECK ("id" = 1)
);

INSERT INTO "subscription_sums_state" DEFAULT VALUES;

-- Notes the subscription of the row. Whoever may change a subscription needs no right here.
CREATE FUNCTION "note_subscription_change"() RETURNS TRIGGER
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.subscription_changes (subscription_id)
    VALUES (CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END);
    IF TG_OP = 'UPDATE' AND OLD.id <> NEW.id THEN
        INSERT INTO public.subscription_changes (subscription_id) VALUES (OLD.id);
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION "note_item_change"() RETURNS TRIGGER
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.subscription_changes (subscription_id)
    VALUES (CASE WHEN TG_OP = 'DELETE' THEN OLD.subscription_id ELSE NEW.subscription_id END);
    IF TG_OP = 'UPDATE' AND OLD.subscription_id <> NEW.subscription_id THEN
        INSERT INTO public.subscription_changes (subscription_id) VALUES (OLD.subscription_id);
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION "note_owner_change"() RETURNS TRIGGER
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.subscription_changes (subscription_id)
    VALUES (CASE WHEN TG_OP = 'DELETE' THEN OLD.object_id ELSE NEW.object_id END);
    IF TG_OP = 'UPDATE' AND OLD.object_id <> NEW.object_id THEN
        INSERT INTO public.subscription_changes (subscription_id) VALUES (OLD.object_id);
    END IF;
    RETURN NULL;
END
$$;

-- A table that was emptied as a whole: all that is summed is computed again.
CREATE FUNCTION "note_all_subscriptions"() RETURNS TRIGGER
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.subscription_changes (subscription_id)
    SELECT DISTINCT subscription_id FROM public.summed_subscriptions;
    RETURN NULL;
END
$$;

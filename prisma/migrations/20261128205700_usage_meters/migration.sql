-- The meter of Stripe that a feature's usage is reported to: {"event_name", "report"}.
ALTER TABLE "features" ADD COLUMN "stripe_meter" JSONB;

-- Hours whose usage is to be compared with what Stripe was told. Usage writes a row in its own transaction, so that nothing
-- that is committed is missed.
CREATE TABLE "usage_meter_hours" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "user_id" TEXT COLLATE "C" NOT NULL,
    "feature_code" TEXT COLLATE "C" NOT NULL,
    "hour" TIMESTAMPTZ(3) NOT NULL,
    "due_at" TIMESTAMPTZ(3),
    "due_since" TIMESTAMPTZ(3),
    "look_at" TIMESTAMPTZ(3),
    "waits_since" TIMESTAMPTZ(3),
    "ends_period" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "usage_meter_hours_pkey" PRIMARY KEY ("project_id", "user_id", "feature_code", "hour")
) WITH (fillfactor = 80);

CREATE INDEX "usage_meter_hours_due_at_idx" ON "usage_meter_hours" ("due_at") WHERE "due_at" IS NOT NULL;
CREATE INDEX "usage_meter_hours_look_at_idx" ON "usage_meter_hours" ("look_at") WHERE "look_at" IS NOT NULL;
CREATE INDEX "usage_meter_hours_waits_since_idx" ON "usage_meter_hours" ("waits_since") WHERE "waits_since" IS NOT NULL;
CREATE INDEX "usage_meter_hours_hour_idx" ON "usage_meter_hours" ("hour");

-- What Stripe was told, or is being told, of an hour: one row for each meter event.
CREATE TABLE "usage_meter_reports" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "user_id" TEXT COLLATE "C" NOT NULL,
    "feature_code" TEXT COLLATE "C" NOT NULL,
    "hour" TIMESTAMPTZ(3) NOT NULL,
    "sequence" INTEGER NOT NULL,
    "quantity" BIGINT NOT NULL,
    "stamped_at" TIMESTAMPTZ(3) NOT NULL,
    "stripe_customer_id" TEXT COLLATE "C",
    "event_name" TEXT COLLATE "C" NOT NULL,
    "report" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "in_doubt_since" TIMESTAMPTZ(3) NOT NULL,
    "look_at" TIMESTAMPTZ(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "problem" TEXT,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "usage_meter_reports_pkey" PRIMARY KEY ("project_id", "user_id", "feature_code", "hour", "sequence"),
    CONSTRAINT "usage_meter_reports_state_check" CHECK ("state" IN ('sending', 'delivered', 'too_late')),
    CONSTRAINT "usage_meter_reports_customer_check" CHECK ("stripe_customer_id" IS NOT NULL OR "state" = 'too_late')
);

CREATE INDEX "usage_meter_reports_sending_idx" ON "usage_meter_reports" ("look_at") WHERE "state" = 'sending';
-- One at a time for each customer and meter; and what was delivered of a minute.
CREATE INDEX "usage_meter_reports_customer_idx" ON "usage_meter_reports" ("stripe_customer_id", "event_name", "stamped_at");
CREATE INDEX "usage_meter_reports_late_idx" ON "usage_meter_reports" ("project_id", "hour") WHERE "state" = 'too_late';
CREATE INDEX "usage_meter_reports_hour_idx" ON "usage_meter_reports" ("hour");

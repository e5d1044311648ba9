-- What a project's subscriptions were worth on each day, and how many began and ended: docs/decisions/0034.
CREATE TABLE "revenue_days" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "day" TEXT COLLATE "C" NOT NULL,
    "mrr" JSONB NOT NULL,
    "active" INTEGER NOT NULL,
    "trialing" INTEGER NOT NULL,
    "total" INTEGER NOT NULL,
    "begun" INTEGER NOT NULL,
    "ended" INTEGER NOT NULL,
    "written_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "revenue_days_pkey" PRIMARY KEY ("project_id", "day")
) WITH (fillfactor = 70);

-- What is no longer kept.
CREATE INDEX "revenue_days_day_idx" ON "revenue_days" ("day");

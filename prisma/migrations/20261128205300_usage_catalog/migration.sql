-- What the codes of a project stand for. A code without a row is boolean.
CREATE TABLE "features" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "feature_code" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT,
    "unit" TEXT,
    "counted" BOOLEAN NOT NULL DEFAULT false,
    "thresholds" INTEGER[] NOT NULL DEFAULT ARRAY[]::INTEGER[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "features_pkey" PRIMARY KEY ("project_id", "feature_code"),
    CONSTRAINT "features_kind_check" CHECK ("kind" IN ('boolean', 'limit', 'metered')),
    CONSTRAINT "features_counted_check" CHECK (NOT "counted" OR "kind" = 'limit'),
    CONSTRAINT "features_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- Settings by code. Old processes write "feature_codes" alone: settings of a code that is not among them mean nothing.
ALTER TABLE "products" ADD COLUMN "features" JSONB NOT NULL DEFAULT '{}';

-- How much a grant gives of a limit or metered feature: an amount, or no limit; neither for a boolean one. NOT VALID: no row
-- has an amount yet, and all later ones are checked.
ALTER TABLE "grants"
    ADD COLUMN "amount" BIGINT,
    ADD COLUMN "is_unlimited" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "grants"
    ADD CONSTRAINT "grants_amount_check"
    CHECK ("amount" BETWEEN 1 AND 1000000000000 AND (NOT "is_unlimited" OR "amount" IS NULL)) NOT VALID;

-- Where the periods of allowances begin to count, and from when on something may be rolled over. Null: not heard yet.
ALTER TABLE "subscriptions" ADD COLUMN "start_date" TIMESTAMPTZ(3);
ALTER TABLE "subscription_items" ADD COLUMN "first_period_start" TIMESTAMPTZ(3);

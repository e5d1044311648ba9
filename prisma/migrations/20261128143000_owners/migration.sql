-- Where a claimed user comes from (metadata, or a hint of the buyer's); null: a version that kept no source stored it, and
-- a worker finds out, a few rows at a time.
ALTER TABLE "subscriptions"
    ADD COLUMN "claimed_user_source" TEXT,
    ADD COLUMN "project_claimed_at" TIMESTAMPTZ(3);

ALTER TABLE "purchases" ADD COLUMN "claimed_user_source" TEXT;

-- A customer's users in further projects; its first mapping is in "customers".
CREATE TABLE "customer_users" (
    "stripe_customer_id" TEXT COLLATE "C" NOT NULL,
    "project_id" TEXT COLLATE "C" NOT NULL,
    "user_ref" BIGINT NOT NULL,
    "source" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "customer_users_pkey" PRIMARY KEY ("stripe_customer_id", "project_id"),
    CONSTRAINT "customer_users_stripe_customer_id_fkey" FOREIGN KEY ("stripe_customer_id") REFERENCES "customers" ("stripe_customer_id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "customer_users_user_ref_fkey" FOREIGN KEY ("user_ref") REFERENCES "users" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

CREATE INDEX "customer_users_user_ref_idx" ON "customer_users" ("user_ref");

-- Assignments, and the owners of subscriptions and purchases in further projects than their "user_ref"'s.
CREATE TABLE "object_owners" (
    "object_id" TEXT COLLATE "C" NOT NULL,
    "project_id" TEXT COLLATE "C" NOT NULL,
    "user_ref" BIGINT NOT NULL,
    "source" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "object_owners_pkey" PRIMARY KEY ("object_id", "project_id"),
    CONSTRAINT "object_owners_source_check" CHECK ("source" IN ('assignment', 'mapping', 'metadata', 'buyer_hint')),
    CONSTRAINT "object_owners_user_ref_fkey" FOREIGN KEY ("user_ref") REFERENCES "users" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

CREATE INDEX "object_owners_user_ref_idx" ON "object_owners" ("user_ref");

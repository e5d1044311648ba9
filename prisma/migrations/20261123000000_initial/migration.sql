-- CreateTable
CREATE TABLE "projects" (
    "id" TEXT COLLATE "C" NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "is_active" BOOLEAN NOT NULL DEFAULT true,
    "policy" JSONB NOT NULL DEFAULT '{}',
    "redirect_origins" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "version" BIGINT NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "projects_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" TEXT COLLATE "C" NOT NULL,
    "project_id" TEXT COLLATE "C" NOT NULL,
    "name" TEXT,
    "prefix" TEXT NOT NULL,
    "digest" BYTEA NOT NULL,
    "scopes" TEXT[] DEFAULT ARRAY['read', 'checkout']::TEXT[],
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "products" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "product_id" TEXT COLLATE "C" NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "feature_codes" TEXT[],
    "is_archived" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "products_pkey" PRIMARY KEY ("project_id","product_id")
);

-- CreateTable
CREATE TABLE "prices" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "price_id" TEXT COLLATE "C" NOT NULL,
    "product_id" TEXT COLLATE "C" NOT NULL,
    "stripe_price_id" TEXT COLLATE "C" NOT NULL,
    "amount" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "interval" TEXT NOT NULL,
    "access_days" INTEGER,
    "is_archived" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "prices_pkey" PRIMARY KEY ("project_id","price_id")
);

-- CreateTable
CREATE TABLE "users" (
    "id" BIGSERIAL NOT NULL,
    "project_id" TEXT COLLATE "C" NOT NULL,
    "user_id" TEXT COLLATE "C" NOT NULL,
    "version" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "customers" (
    "stripe_customer_id" TEXT COLLATE "C" NOT NULL,
    "user_ref" BIGINT,
    "source" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "customers_pkey" PRIMARY KEY ("stripe_customer_id")
);

-- CreateTable
CREATE TABLE "subscriptions" (
    "id" TEXT COLLATE "C" NOT NULL,
    "user_ref" BIGINT,
    "stripe_customer_id" TEXT COLLATE "C",
    "claimed_project_id" TEXT COLLATE "C",
    "claimed_user_id" TEXT COLLATE "C",
    "status" TEXT,
    "cancel_at" TIMESTAMPTZ(3),
    "cancel_at_period_end" BOOLEAN NOT NULL DEFAULT false,
    "canceled_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),
    "trial_end" TIMESTAMPTZ(3),
    "collection_paused" BOOLEAN NOT NULL DEFAULT false,
    "latest_invoice_id" TEXT COLLATE "C",
    "latest_invoice_created_at" TIMESTAMPTZ(3),
    "snapshot_at" TIMESTAMPTZ(3),
    "snapshot_event_id" TEXT COLLATE "C",
    "confirmed" BOOLEAN NOT NULL DEFAULT true,
    "fence" BIGINT NOT NULL DEFAULT 1,
    "other_status_seen_at" TIMESTAMPTZ(3),
    "past_due_seen_at" TIMESTAMPTZ(3)[] DEFAULT ARRAY[]::TIMESTAMPTZ(3)[],
    "past_due_since" TIMESTAMPTZ(3),
    "settle_at" TIMESTAMPTZ(3),
    "settle_attempts" INTEGER NOT NULL DEFAULT 0,
    "missing_in_stripe_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "subscriptions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "subscription_items" (
    "subscription_id" TEXT COLLATE "C" NOT NULL,
    "item_id" TEXT COLLATE "C" NOT NULL,
    "stripe_price_id" TEXT COLLATE "C" NOT NULL,
    "quantity" BIGINT NOT NULL,
    "current_period_start" TIMESTAMPTZ(3),
    "current_period_end" TIMESTAMPTZ(3),

    CONSTRAINT "subscription_items_pkey" PRIMARY KEY ("subscription_id","item_id")
);

-- CreateTable
CREATE TABLE "purchases" (
    "id" TEXT COLLATE "C" NOT NULL,
    "user_ref" BIGINT,
    "stripe_customer_id" TEXT COLLATE "C",
    "claimed_project_id" TEXT COLLATE "C",
    "claimed_user_id" TEXT COLLATE "C",
    "session_id" TEXT COLLATE "C",
    "charge_id" TEXT COLLATE "C",
    "status" TEXT NOT NULL,
    "amount" BIGINT,
    "amount_refunded" BIGINT NOT NULL DEFAULT 0,
    "currency" TEXT,
    "paid_at" TIMESTAMPTZ(3),
    "refund_snapshot_at" TIMESTAMPTZ(3),
    "dispute_status" TEXT,
    "snapshot_event_id" TEXT COLLATE "C",
    "confirmed" BOOLEAN NOT NULL DEFAULT true,
    "fence" BIGINT NOT NULL DEFAULT 1,
    "settle_at" TIMESTAMPTZ(3),
    "settle_attempts" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "purchases_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "purchase_items" (
    "purchase_id" TEXT COLLATE "C" NOT NULL,
    "stripe_price_id" TEXT COLLATE "C" NOT NULL,
    "quantity" BIGINT NOT NULL,

    CONSTRAINT "purchase_items_pkey" PRIMARY KEY ("purchase_id","stripe_price_id")
);

-- CreateTable
CREATE TABLE "grants" (
    "id" TEXT COLLATE "C" NOT NULL,
    "user_ref" BIGINT NOT NULL,
    "feature_code" TEXT COLLATE "C" NOT NULL,
    "valid_from" TIMESTAMPTZ(3) NOT NULL,
    "valid_to" TIMESTAMPTZ(3),
    "reason" TEXT NOT NULL,
    "granted_by" TEXT NOT NULL,
    "granted_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),
    "revoked_by" TEXT,
    "revoke_reason" TEXT,

    CONSTRAINT "grants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stripe_events" (
    "event_id" TEXT COLLATE "C" NOT NULL,
    "type" TEXT NOT NULL,
    "object_id" TEXT COLLATE "C",
    "customer_id" TEXT COLLATE "C",
    "project_id" TEXT COLLATE "C",
    "api_version" TEXT,
    "status" TEXT NOT NULL,
    "reason" TEXT,
    "awaits" TEXT COLLATE "C",
    "created" TIMESTAMPTZ(3) NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "processed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "attempts" INTEGER NOT NULL DEFAULT 1,
    "payload" JSONB NOT NULL,

    CONSTRAINT "stripe_events_pkey" PRIMARY KEY ("event_id")
);

-- CreateTable
CREATE TABLE "cache_invalidations" (
    "id" BIGSERIAL NOT NULL,
    "project_id" TEXT COLLATE "C" NOT NULL,
    "user_id" TEXT COLLATE "C",
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "cache_invalidations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
    "request_hash" BYTEA NOT NULL,
    "response" JSONB,
    "locked_until" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("project_id","key")
);

-- CreateTable
CREATE TABLE "audit_log" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "project_id" TEXT COLLATE "C",
    "target_type" TEXT NOT NULL,
    "target_id" TEXT COLLATE "C" NOT NULL,
    "reason" TEXT,
    "details" JSONB NOT NULL DEFAULT '{}',
    "request_id" TEXT,

    CONSTRAINT "audit_log_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_digest_key" ON "api_keys"("digest");

-- CreateIndex
CREATE INDEX "api_keys_project_id_created_at_id_idx" ON "api_keys"("project_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "prices_stripe_price_id_key" ON "prices"("stripe_price_id");

-- CreateIndex
CREATE INDEX "prices_project_id_product_id_idx" ON "prices"("project_id", "product_id");

-- CreateIndex
CREATE UNIQUE INDEX "users_project_id_user_id_key" ON "users"("project_id", "user_id");

-- CreateIndex
CREATE INDEX "customers_user_ref_idx" ON "customers"("user_ref");

-- CreateIndex
CREATE INDEX "subscriptions_user_ref_idx" ON "subscriptions"("user_ref");

-- CreateIndex
CREATE INDEX "subscriptions_stripe_customer_id_idx" ON "subscriptions"("stripe_customer_id");

-- CreateIndex
CREATE INDEX "subscriptions_settle_at_idx" ON "subscriptions"("settle_at");

-- CreateIndex
CREATE INDEX "subscription_items_stripe_price_id_idx" ON "subscription_items"("stripe_price_id");

-- CreateIndex
CREATE INDEX "purchases_user_ref_idx" ON "purchases"("user_ref");

-- CreateIndex
CREATE INDEX "purchases_stripe_customer_id_idx" ON "purchases"("stripe_customer_id");

-- CreateIndex
CREATE INDEX "purchases_charge_id_idx" ON "purchases"("charge_id");

-- CreateIndex
CREATE INDEX "purchases_settle_at_idx" ON "purchases"("settle_at");

-- CreateIndex
CREATE INDEX "purchase_items_stripe_price_id_idx" ON "purchase_items"("stripe_price_id");

-- CreateIndex
CREATE INDEX "grants_user_ref_idx" ON "grants"("user_ref");

-- CreateIndex
CREATE INDEX "stripe_events_processed_at_event_id_idx" ON "stripe_events"("processed_at", "event_id");

-- CreateIndex
CREATE INDEX "stripe_events_status_processed_at_event_id_idx" ON "stripe_events"("status", "processed_at", "event_id");

-- CreateIndex
CREATE INDEX "stripe_events_object_id_created_idx" ON "stripe_events"("object_id", "created");

-- CreateIndex
CREATE INDEX "stripe_events_awaits_idx" ON "stripe_events"("awaits");

-- CreateIndex
CREATE INDEX "idempotency_keys_expires_at_idx" ON "idempotency_keys"("expires_at");

-- CreateIndex
CREATE INDEX "audit_log_project_id_id_idx" ON "audit_log"("project_id", "id");

-- CreateIndex
CREATE INDEX "audit_log_target_type_target_id_id_idx" ON "audit_log"("target_type", "target_id", "id");

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "products" ADD CONSTRAINT "products_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "prices" ADD CONSTRAINT "prices_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "prices" ADD CONSTRAINT "prices_project_id_product_id_fkey" FOREIGN KEY ("project_id", "product_id") REFERENCES "products"("project_id", "product_id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "users" ADD CONSTRAINT "users_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "customers" ADD CONSTRAINT "customers_user_ref_fkey" FOREIGN KEY ("user_ref") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscriptions" ADD CONSTRAINT "subscriptions_user_ref_fkey" FOREIGN KEY ("user_ref") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscription_items" ADD CONSTRAINT "subscription_items_subscription_id_fkey" FOREIGN KEY ("subscription_id") REFERENCES "subscriptions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "purchases" ADD CONSTRAINT "purchases_user_ref_fkey" FOREIGN KEY ("user_ref") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "purchase_items" ADD CONSTRAINT "purchase_items_purchase_id_fkey" FOREIGN KEY ("purchase_id") REFERENCES "purchases"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_user_ref_fkey" FOREIGN KEY ("user_ref") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema language cannot say.

-- Identifiers: 1 to 256 characters.
ALTER TABLE "projects"
    ADD CONSTRAINT "projects_id_length" CHECK (char_length("id") BETWEEN 1 AND 256),
    ADD CONSTRAINT "projects_name_length" CHECK (char_length("name") BETWEEN 1 AND 256),
    ADD CONSTRAINT "projects_policy_object" CHECK (jsonb_typeof("policy") = 'object'),
    ADD CONSTRAINT "projects_version_positive" CHECK ("version" > 0);

ALTER TABLE "api_keys"
    ADD CONSTRAINT "api_keys_id_length" CHECK (char_length("id") BETWEEN 1 AND 256),
    ADD CONSTRAINT "api_keys_digest_sha256" CHECK (octet_length("digest") = 32),
    ADD CONSTRAINT "api_keys_scopes" CHECK ("scopes" <@ ARRAY['read', 'checkout']);

ALTER TABLE "products"
    ADD CONSTRAINT "products_id_length" CHECK (char_length("product_id") BETWEEN 1 AND 256),
    ADD CONSTRAINT "products_name_length" CHECK (char_length("name") BETWEEN 1 AND 256);

ALTER TABLE "prices"
    ADD CONSTRAINT "prices_id_length" CHECK (char_length("price_id") BETWEEN 1 AND 256),
    ADD CONSTRAINT "prices_stripe_id_length" CHECK (char_length("stripe_price_id") BETWEEN 1 AND 256),
    ADD CONSTRAINT "prices_amount" CHECK ("amount" >= 0),
    ADD CONSTRAINT "prices_currency" CHECK ("currency" ~ '^[a-z]{3}$'),
    ADD CONSTRAINT "prices_interval" CHECK ("interval" IN ('month', 'year', 'one_time')),
    ADD CONSTRAINT "prices_access_days" CHECK ("access_days" IS NULL OR ("access_days" > 0 AND "interval" = 'one_time'));

ALTER TABLE "users"
    ADD CONSTRAINT "users_id_length" CHECK (char_length("user_id") BETWEEN 1 AND 256),
    ADD CONSTRAINT "users_version" CHECK ("version" >= 0);

ALTER TABLE "customers"
    ADD CONSTRAINT "customers_id_length" CHECK (char_length("stripe_customer_id") BETWEEN 1 AND 256),
    ADD CONSTRAINT "customers_source" CHECK ("source" IN ('checkout', 'admin', 'import', 'event'));

ALTER TABLE "subscriptions"
    ADD CONSTRAINT "subscriptions_id_length" CHECK (char_length("id") BETWEEN 1 AND 256),
    ADD CONSTRAINT "subscriptions_status" CHECK ("status" IN ('incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'canceled', 'unpaid', 'paused'));

ALTER TABLE "subscription_items"
    ADD CONSTRAINT "subscription_items_ids_length" CHECK (char_length("item_id") BETWEEN 1 AND 256 AND char_length("stripe_price_id") BETWEEN 1 AND 256),
    ADD CONSTRAINT "subscription_items_quantity" CHECK ("quantity" >= 0);

ALTER TABLE "purchases"
    ADD CONSTRAINT "purchases_id_length" CHECK (char_length("id") BETWEEN 1 AND 256),
    ADD CONSTRAINT "purchases_status" CHECK ("status" IN ('pending', 'paid', 'failed')),
    ADD CONSTRAINT "purchases_paid_at" CHECK ("status" <> 'paid' OR "paid_at" IS NOT NULL),
    ADD CONSTRAINT "purchases_refunded" CHECK ("amount_refunded" >= 0);

ALTER TABLE "purchase_items"
    ADD CONSTRAINT "purchase_items_price_length" CHECK (char_length("stripe_price_id") BETWEEN 1 AND 256),
    ADD CONSTRAINT "purchase_items_quantity" CHECK ("quantity" >= 0);

ALTER TABLE "grants"
    ADD CONSTRAINT "grants_feature_length" CHECK (char_length("feature_code") BETWEEN 1 AND 256),
    ADD CONSTRAINT "grants_order" CHECK ("valid_to" IS NULL OR "valid_to" > "valid_from"),
    ADD CONSTRAINT "grants_revocation" CHECK (("revoked_at" IS NULL) = ("revoked_by" IS NULL));

ALTER TABLE "stripe_events"
    ADD CONSTRAINT "stripe_events_id_length" CHECK (char_length("event_id") BETWEEN 1 AND 255),
    ADD CONSTRAINT "stripe_events_status" CHECK ("status" IN ('applied', 'stale', 'ignored', 'quarantined', 'failed')),
    ADD CONSTRAINT "stripe_events_reason" CHECK ("status" IN ('applied', 'stale') OR "reason" IS NOT NULL);

ALTER TABLE "idempotency_keys"
    ADD CONSTRAINT "idempotency_keys_key_length" CHECK (char_length("key") BETWEEN 1 AND 255);

-- The audit log is append-only: who did what stays as it was written.
CREATE FUNCTION "refuse_audit_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_log is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER "audit_log_is_append_only"
    BEFORE UPDATE OR DELETE ON "audit_log"
    FOR EACH ROW EXECUTE FUNCTION "refuse_audit_change"();

CREATE TRIGGER "audit_log_is_not_truncated"
    BEFORE TRUNCATE ON "audit_log"
    FOR EACH STATEMENT EXECUTE FUNCTION "refuse_audit_change"();

-- Rows in doubt are few: only they are in this index, where the settling loop looks for what is due.
DROP INDEX "subscriptions_settle_at_idx";
CREATE INDEX "subscriptions_settle_at_idx" ON "subscriptions" ("settle_at") WHERE "settle_at" IS NOT NULL;
DROP INDEX "purchases_settle_at_idx";
CREATE INDEX "purchases_settle_at_idx" ON "purchases" ("settle_at") WHERE "settle_at" IS NOT NULL;
DROP INDEX "stripe_events_awaits_idx";
CREATE INDEX "stripe_events_awaits_idx" ON "stripe_events" ("awaits") WHERE "awaits" IS NOT NULL;

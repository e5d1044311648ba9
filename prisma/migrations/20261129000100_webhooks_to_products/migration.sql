ALTER TABLE "projects" ADD COLUMN "tells_changes" BOOLEAN NOT NULL DEFAULT false;

CREATE TABLE "webhook_endpoints" (
    "id" TEXT COLLATE "C" NOT NULL,
    "project_id" TEXT COLLATE "C" NOT NULL,
    "url" TEXT NOT NULL,
    "event_types" TEXT[] NOT NULL,
    "payload" TEXT NOT NULL,
    "delivery" TEXT NOT NULL,
    "description" TEXT,
    "is_enabled" BOOLEAN NOT NULL DEFAULT true,
    "disabled_reason" TEXT,
    "failing_since" TIMESTAMPTZ(3),
    "last_success_at" TIMESTAMPTZ(3),
    "generation" INTEGER NOT NULL DEFAULT 1,
    "key_id" TEXT NOT NULL,
    "previous_generation" INTEGER,
    "previous_key_id" TEXT,
    "previous_until" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "deleted_at" TIMESTAMPTZ(3),
    CONSTRAINT "webhook_endpoints_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "webhook_endpoints_payload" CHECK ("payload" IN ('full', 'thin')),
    CONSTRAINT "webhook_endpoints_delivery" CHECK ("delivery" IN ('latest', 'every')),
    CONSTRAINT "webhook_endpoints_disabled" CHECK ("is_enabled" = ("disabled_reason" IS NULL))
);
CREATE INDEX "webhook_endpoints_project_id_created_at_id_idx" ON "webhook_endpoints"("project_id", "created_at", "id");

CREATE TABLE "webhook_marks" (
    "id" BIGSERIAL NOT NULL,
    "project_id" TEXT COLLATE "C" NOT NULL,
    "user_id" TEXT COLLATE "C" NOT NULL,
    "cause" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    CONSTRAINT "webhook_marks_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "webhook_states" (
    "project_id" TEXT COLLATE "C" NOT NULL,
    "user_id" TEXT COLLATE "C" NOT NULL,
    "version" BIGINT NOT NULL,
    "entitlements" JSONB NOT NULL,
    "digest" BYTEA NOT NULL,
    "next_change_at" TIMESTAMPTZ(3),
    CONSTRAINT "webhook_states_pkey" PRIMARY KEY ("project_id", "user_id")
);
CREATE INDEX "webhook_states_next_change_at_idx" ON "webhook_states"("next_change_at");

CREATE TABLE "webhook_fan_outs" (
    "id" BIGSERIAL NOT NULL,
    "project_id" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT NOT NULL,
    "endpoint_id" TEXT COLLATE "C",
    "run_id" TEXT,
    "position" BIGINT NOT NULL DEFAULT 0,
    "last_user" BIGINT NOT NULL,
    "seen_from" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    CONSTRAINT "webhook_fan_outs_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "webhook_fan_outs_project_id_idx" ON "webhook_fan_outs"("project_id");

CREATE TABLE "webhook_messages" (
    "id" TEXT COLLATE "C" NOT NULL,
    "project_id" TEXT COLLATE "C" NOT NULL,
    "user_id" TEXT COLLATE "C",
    "type" TEXT NOT NULL,
    "version" BIGINT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "full" TEXT NOT NULL,
    "thin" TEXT,
    CONSTRAINT "webhook_messages_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "webhook_messages_project_id_user_id_idx" ON "webhook_messages"("project_id", "user_id");
CREATE INDEX "webhook_messages_created_at_idx" ON "webhook_messages"("created_at");

CREATE TABLE "webhook_deliveries" (
    "id" BIGSERIAL NOT NULL,
    "message_id" TEXT COLLATE "C" NOT NULL,
    "endpoint_id" TEXT COLLATE "C" NOT NULL,
    "project_id" TEXT COLLATE "C" NOT NULL,
    "user_id" TEXT COLLATE "C",
    "type" TEXT NOT NULL,
    "version" BIGINT,
    "form" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'pending',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_try_at" TIMESTAMPTZ(3),
    "claimed_until" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    CONSTRAINT "webhook_deliveries_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "webhook_deliveries_form" CHECK ("form" IN ('full', 'thin')),
    CONSTRAINT "webhook_deliveries_status"
        CHECK ("status" IN ('pending', 'succeeded', 'failed', 'superseded', 'discarded')),
    CONSTRAINT "webhook_deliveries_next_try" CHECK (("status" = 'pending') = ("next_try_at" IS NOT NULL)),
    CONSTRAINT "webhook_deliveries_message_id_fkey"
        FOREIGN KEY ("message_id") REFERENCES "webhook_messages"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "webhook_deliveries_message_id_endpoint_id_key" ON "webhook_deliveries"("message_id", "endpoint_id");
CREATE INDEX "webhook_deliveries_endpoint_id_id_idx" ON "webhook_deliveries"("endpoint_id", "id");
CREATE INDEX "webhook_deliveries_next_try_at_idx" ON "webhook_deliveries"("next_try_at");
-- What waits of one user at one endpoint: its order, and what a newer message replaces.
CREATE INDEX "webhook_deliveries_waiting_idx" ON "webhook_deliveries"("endpoint_id", "user_id", "id") WHERE "status" = 'pending';

CREATE TABLE "webhook_attempts" (
    "id" BIGSERIAL NOT NULL,
    "message_id" TEXT COLLATE "C" NOT NULL,
    "endpoint_id" TEXT COLLATE "C" NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "status" INTEGER,
    "duration_ms" INTEGER NOT NULL,
    "error" TEXT,
    "response" TEXT,
    "is_resend" BOOLEAN NOT NULL DEFAULT false,
    CONSTRAINT "webhook_attempts_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "webhook_attempts_message_id_fkey"
        FOREIGN KEY ("message_id") REFERENCES "webhook_messages"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "webhook_attempts_message_id_id_idx" ON "webhook_attempts"("message_id", "id");

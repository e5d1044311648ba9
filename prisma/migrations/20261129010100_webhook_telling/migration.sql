-- The base line that counts: states of earlier ones say nothing.
ALTER TABLE "projects" ADD COLUMN "base_line" BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "webhook_states" ADD COLUMN "base_line" BIGINT NOT NULL DEFAULT 0;

-- A mark without a user is about the project's catalog or policy; one without a cause names none.
ALTER TABLE "webhook_marks" ALTER COLUMN "user_id" DROP NOT NULL;
ALTER TABLE "webhook_marks" ALTER COLUMN "cause" DROP NOT NULL;
ALTER TABLE "webhook_marks" ADD COLUMN "is_paced" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "webhook_marks" ADD COLUMN "crossing" JSONB;
CREATE INDEX "webhook_marks_own_idx" ON "webhook_marks" ("id") WHERE NOT "is_paced";
CREATE INDEX "webhook_marks_paced_idx" ON "webhook_marks" ("id") WHERE "is_paced";
CREATE INDEX "webhook_marks_project_id_user_id_idx" ON "webhook_marks" ("project_id", "user_id");

ALTER TABLE "webhook_fan_outs" ADD COLUMN "after_user" TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE "webhook_fan_outs" ADD COLUMN "seen_at" TIMESTAMPTZ(3);
ALTER TABLE "webhook_fan_outs" ADD COLUMN "is_ready" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "webhook_fan_outs" ADD CONSTRAINT "webhook_fan_outs_kind"
    CHECK ("kind" IN ('base_line', 'catalog', 'policy', 'backfill'));
-- One base line of a project and one backfill of an endpoint at a time.
CREATE UNIQUE INDEX "webhook_fan_outs_one_idx" ON "webhook_fan_outs" ("project_id", "kind", (coalesce("endpoint_id", '')))
    WHERE "kind" IN ('base_line', 'backfill');

-- How fast all workers together tell what is not told at once.
CREATE TABLE "webhook_paces" (
    "kind" TEXT NOT NULL,
    "free_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    CONSTRAINT "webhook_paces_pkey" PRIMARY KEY ("kind")
);
INSERT INTO "webhook_paces" ("kind") VALUES ('boundaries'), ('fan_out');

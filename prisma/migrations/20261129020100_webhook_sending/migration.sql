-- 0: the delivery itself; others are tries that an operator asked for, one each.
ALTER TABLE "webhook_deliveries" ADD COLUMN "resend" INTEGER NOT NULL DEFAULT 0;
-- Waits until another of the same user at the same endpoint has ended.
ALTER TABLE "webhook_deliveries" ADD COLUMN "is_behind" BOOLEAN NOT NULL DEFAULT false;
DROP INDEX "webhook_deliveries_message_id_endpoint_id_key";
CREATE UNIQUE INDEX "webhook_deliveries_message_id_endpoint_id_resend_key"
    ON "webhook_deliveries"("message_id", "endpoint_id", "resend");

-- Deliveries up to this one are discarded: the endpoint was disabled since.
ALTER TABLE "webhook_endpoints" ADD COLUMN "discarded_to" BIGINT NOT NULL DEFAULT 0;

-- What is due, by endpoint: a slow one is looked at once, however much waits for it.
DROP INDEX "webhook_deliveries_next_try_at_idx";
CREATE INDEX "webhook_deliveries_due_idx" ON "webhook_deliveries"("endpoint_id", "next_try_at") WHERE "status" = 'pending';
CREATE INDEX "webhook_deliveries_claimed_idx" ON "webhook_deliveries"("endpoint_id", "claimed_until") WHERE "claimed_until" IS NOT NULL;
CREATE INDEX "webhook_deliveries_behind_idx" ON "webhook_deliveries"("endpoint_id", "user_id", "id")
    WHERE "status" = 'pending' AND "is_behind";
-- Each row is changed two or three times soon after it was made.
ALTER TABLE "webhook_deliveries" SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

-- When the first read of Stripe that saw a subscription past due was made, and since when it said so.
-- AlterTable
ALTER TABLE "subscriptions" ADD COLUMN     "past_due_read_at" TIMESTAMPTZ(3),
ADD COLUMN     "past_due_read_since" TIMESTAMPTZ(3);

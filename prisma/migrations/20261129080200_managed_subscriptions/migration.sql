-- What a product team sees of a subscription that access does not depend on: when Stripe created it, until when its collection is
-- paused, what its schedule will change, and a change that waits for its payment. Old processes write none of it.
ALTER TABLE "subscriptions"
    ADD COLUMN "stripe_created_at" TIMESTAMPTZ(3),
    ADD COLUMN "pause_resumes_at" TIMESTAMPTZ(3),
    ADD COLUMN "schedule" JSONB,
    ADD COLUMN "pending_payment" JSONB;

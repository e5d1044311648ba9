-- The time whose events Stripe lists no more and no sweep read; null: none. And when a reconcile last covered such a time.
ALTER TABLE "event_sweeps"
    ADD COLUMN "unseen_from" TIMESTAMPTZ(3),
    ADD COLUMN "unseen_to" TIMESTAMPTZ(3),
    ADD COLUMN "reconciled_at" TIMESTAMPTZ(3);

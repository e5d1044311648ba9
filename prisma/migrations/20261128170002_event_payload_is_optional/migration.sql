-- Older processes still write it.
ALTER TABLE "stripe_events" ALTER COLUMN "payload" DROP NOT NULL;

-- What was asked of Stripe under an idempotency key, to be asked again where its answer was lost. JSON and not JSONB: Stripe
-- compares parameters, so their order stays.
-- AlterTable
ALTER TABLE "idempotency_keys" ADD COLUMN     "stripe_request" JSON;

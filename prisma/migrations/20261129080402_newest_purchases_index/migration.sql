-- The same of purchases, without the payments of invoices.
CREATE INDEX CONCURRENTLY "purchases_newest_idx" ON "purchases" ("created_at", "id") WHERE "invoice_id" IS NULL;

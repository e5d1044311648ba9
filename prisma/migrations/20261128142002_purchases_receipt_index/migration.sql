-- From an invoice to the purchase that it records.
CREATE INDEX CONCURRENTLY "purchases_receipt_invoice_id_idx" ON "purchases" ("receipt_invoice_id") WHERE "receipt_invoice_id" IS NOT NULL;

-- Rows of older versions, which did not ask what an invoice was for (`store/claim-due.ts` has the same condition).
CREATE INDEX CONCURRENTLY "purchases_of_unknown_invoices_idx" ON "purchases" ("id")
WHERE settle_at IS NULL AND missing_in_stripe_at IS NULL AND invoice_id IS NOT NULL
    AND (session_id IS NOT NULL OR ((amount_refunded > 0 OR dispute_status IS NOT NULL)
        AND (jsonb_typeof(record -> 'invoice') IS DISTINCT FROM 'object' OR record -> 'invoice' ? 'isAssumed')));

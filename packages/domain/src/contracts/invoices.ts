import { z } from 'zod';
import { id } from '../ids.ts';
import { listOf, pageFields } from './admin/listing.ts';

const timestampOut = z.iso.datetime();

export const invoicesQuery = z.strictObject({
  user_id: id,
  project_id: id.optional().describe('Optional; must be the project of the API key.'),
  ...pageFields,
});
export type InvoicesQuery = z.output<typeof invoicesQuery>;

export const invoiceOut = z
  .object({
    invoice_id: z.string(),
    number: z.string().nullable().describe('Null: a draft has none yet.'),
    status: z.string().nullable().describe('`draft`, `open`, `paid`, `uncollectible` or `void`.'),
    total: z.number().int().describe('In minor units; negative: a credit.'),
    amount_due: z.number().int(),
    currency: z.string(),
    created: timestampOut,
    period_start: timestampOut,
    period_end: timestampOut,
    hosted_invoice_url: z.string().nullable().describe("Stripe's page, on which it can be paid."),
    invoice_pdf: z.string().nullable(),
  })
  .meta({ id: 'Invoice' });
export type InvoiceOut = z.output<typeof invoiceOut>;
export const invoiceList = listOf(invoiceOut).meta({ id: 'InvoiceList' });
export type InvoiceList = z.output<typeof invoiceList>;

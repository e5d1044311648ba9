import { z } from 'zod';
import { id } from '../ids.ts';

const mostItems = 20;

const wantedItem = z
  .strictObject({
    price_id: id.describe("Our id of the price, or Stripe's."),
    quantity: z
      .number()
      .int()
      .min(1)
      .max(999_999)
      .optional()
      .describe('1 where absent; none for a metered price.'),
  })
  .meta({ id: 'WantedItem' });

const changeFields = {
  project_id: id.optional().describe('Optional; must be the project of the API key.'),
  items: z
    .array(wantedItem)
    .max(mostItems)
    .describe(
      'All that the subscription shall have of this project: an equal price keeps its item, the next is exchanged in place, what is not named goes. Each price once. Items of other projects are left alone; `[]` only where there are some.',
    ),
  effective: z
    .enum(['auto', 'now', 'period_end'])
    .optional()
    .describe(
      '`auto` (default): up now, down at the end of the period. Up is a higher `rank` in the group, else more money per item, or a longer interval.',
    ),
  proration: z
    .enum(['invoice_now', 'prorate', 'none'])
    .optional()
    .describe(
      'Of a change that is made now: `invoice_now` (default) bills the difference at once, `prorate` with the next invoice, `none` never.',
    ),
};

export const previewChangeRequest = z.strictObject(changeFields).meta({ id: 'ChangePreviewRequest' });

export const changeRequest = z
  .strictObject({
    ...changeFields,
    preview_token: z
      .string()
      .min(1)
      .max(2_000)
      .optional()
      .describe(
        'Of a preview of the same change, at most ten minutes old: what is charged is what it showed.',
      ),
  })
  .meta({ id: 'SubscriptionChangeRequest' });
export type ChangeRequest = z.output<typeof changeRequest>;

/** A change without its defaults. */
export type WantedChange = Pick<ChangeRequest, 'items' | 'effective' | 'proration'>;

const amount = z.number().int();

const previewLine = z
  .object({
    description: z.string().nullable(),
    amount: amount.describe('Signed: what is given back is negative.'),
    period: z.object({ start: z.iso.datetime(), end: z.iso.datetime() }),
  })
  .meta({ id: 'PreviewLine' });

export const changePreview = z
  .object({
    due_now: amount
      .min(0)
      .describe('What is charged when the change is made, in the smallest unit of the currency.'),
    credit: amount.min(0).describe('What the change gives back, for later invoices.'),
    currency: z.string(),
    lines: z
      .array(previewLine)
      .describe('Of the invoice that the change makes now, or of the next one that it is part of.'),
    next_invoice: z
      .object({ at: z.iso.datetime(), amount: amount.min(0) })
      .meta({ id: 'NextInvoice' })
      .nullable()
      .describe('As far as is known today: usage, and changes until then, come to it. Null: there is none.'),
    effective_at: z.iso.datetime().describe('When the change is made; now: the time of this answer.'),
    preview_token: z.string(),
    expires_at: z.iso.datetime().describe('Until when the token may be used.'),
  })
  .meta({ id: 'ChangePreview' });
export type ChangePreview = z.output<typeof changePreview>;

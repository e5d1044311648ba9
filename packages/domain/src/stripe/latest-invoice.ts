import { z } from 'zod';
import { id } from '../ids.ts';
import { secondsOrNull, words } from './fields.ts';

const invoiceDetails = z.object({
  id,
  created: secondsOrNull,
  status: words.catch(null),
  due_date: secondsOrNull,
  hosted_invoice_url: z
    .url({ protocol: /^https?$/ })
    .nullish()
    .catch(null),
});

/** A subscription's latest invoice: an id, or expanded. */
export const latestInvoice = z
  .union([id, z.looseObject({ id })])
  .nullish()
  .transform((value) => {
    if (value === null || value === undefined || typeof value === 'string')
      return { id: value ?? null, createdAt: null, status: null, dueAt: null, url: null };
    const unknown = { id: value.id, created: null, status: null, due_date: null, hosted_invoice_url: null };
    const details = invoiceDetails.catch(unknown).parse(value);
    const { created, status, due_date: dueAt, hosted_invoice_url: url = null } = details;
    return { id: value.id, createdAt: created, status, dueAt, url };
  });

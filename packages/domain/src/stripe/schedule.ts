import { z } from 'zod';
import { id } from '../ids.ts';
import type { Instant } from '../time.ts';
import { amountOrNull, reference, seconds } from './fields.ts';

/** What a subscription becomes by itself later: all its items then. */
export type PendingChange = {
  effectiveAt: Instant;
  /** `quantity` null: metered. */
  items: { stripePriceId: string; quantity: number | null }[];
};

/** The schedule that manages a subscription. */
export type Schedule = {
  scheduleId: string;
  /** What its later phases change, the next one first. Null: not read yet, as events carry only its id. */
  changes: PendingChange[] | null;
};

/** A change that Stripe makes once its invoice is paid (Stripe: `pending_update`), or the resumption of a paused subscription. */
export type PendingPayment = {
  /** When it is given up. Null: Stripe sets no end, as for a resumption whose payment was tried. */
  expiresAt: Instant | null;
  /** Where it can be paid. Null: not known yet, as events carry only the invoice's id. */
  invoiceUrl: string | null;
};

const phase = z.object({
  start_date: seconds,
  items: z.array(z.object({ price: reference, plan: reference, quantity: amountOrNull })),
});

const wholeSchedule = z.object({
  id,
  current_phase: z.object({ start_date: seconds }).nullish(),
  phases: z.array(phase),
});

type Phase = z.output<typeof phase>;

const byPrice = (a: { stripePriceId: string }, b: { stripePriceId: string }): number =>
  a.stripePriceId < b.stripePriceId ? -1 : Number(a.stripePriceId > b.stripePriceId);

const itemsOf = ({ items }: Phase): PendingChange['items'] =>
  items
    .flatMap(({ price, plan, quantity }) => {
      const stripePriceId = price ?? plan;
      return stripePriceId === null ? [] : [{ stripePriceId, quantity }];
    })
    .sort(byPrice);

/** The phases after the current one that have other items than the phase before. */
function changesOf({ current_phase: current, phases }: z.output<typeof wholeSchedule>): PendingChange[] {
  if (current === null || current === undefined) return [];
  const inOrder = [...phases].sort((a, b) => a.start_date - b.start_date);
  return inOrder.flatMap((one, index) => {
    const before = inOrder[index - 1];
    if (one.start_date <= current.start_date || before === undefined) return [];
    const items = itemsOf(one);
    const isSame = JSON.stringify(items) === JSON.stringify(itemsOf(before));
    return isSame ? [] : [{ effectiveAt: one.start_date, items }];
  });
}

/** A schedule as a subscription names it: by its id, or expanded. */
export const scheduleOrNull = z
  .union([
    id.transform((scheduleId): Schedule => ({ scheduleId, changes: null })),
    wholeSchedule.transform((whole): Schedule => ({ scheduleId: whole.id, changes: changesOf(whole) })),
    z.object({ id }).transform((named): Schedule => ({ scheduleId: named.id, changes: null })),
  ])
  .nullish()
  .transform((schedule): Schedule | null => schedule ?? null);

/** The schedule of a snapshot; what was read of it stays known. */
export const withKnownChanges = (schedule: Schedule | null, known: Schedule | null): Schedule | null =>
  schedule !== null && schedule.changes === null && known?.scheduleId === schedule.scheduleId
    ? known
    : schedule;

/** The waiting payment of a snapshot; where it can be paid stays known while it is the same invoice. */
export const withKnownInvoice = (
  payment: PendingPayment | null,
  known: PendingPayment | null,
): PendingPayment | null =>
  payment === null ? null : { ...payment, invoiceUrl: payment.invoiceUrl ?? known?.invoiceUrl ?? null };

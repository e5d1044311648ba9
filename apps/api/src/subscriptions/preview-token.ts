import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { minuteMs } from '@billing/domain';
import type { Instant } from '@billing/domain';
import { z } from 'zod';

export const previewMs = 10 * minuteMs;

/** What a preview showed, and for what. */
export type Shown = {
  projectId: string;
  subscriptionId: string;
  /** What is asked of Stripe. */
  change: unknown;
  /** What it costs. */
  amounts: unknown;
};

/** `prorationDate`: the second from which prorations count; null: there are none. */
const payload = z.object({
  prorationDate: z.number().int().nullable(),
  expiresAt: z.number().int(),
  shown: z.string(),
});
type Payload = z.output<typeof payload>;

export const digestOf = (shown: Shown): string =>
  createHash('sha256')
    .update(JSON.stringify([shown.projectId, shown.subscriptionId, shown.change, shown.amounts]))
    .digest('base64url');

/** A key for nothing else, the same in every process: all have the same key of Stripe's. */
const keyOf = (stripeSecretKey: string): Buffer =>
  Buffer.from(hkdfSync('sha256', stripeSecretKey, '', 'billing preview token', 32));

const sign = (stripeSecretKey: string, text: string): Buffer =>
  createHmac('sha256', keyOf(stripeSecretKey)).update(text).digest();

/** A token that nobody else can make: it may pass through a browser, and pins the second from which is prorated. */
export function sealPreview(
  stripeSecretKey: string,
  { shown, prorationDate, expiresAt }: { shown: Shown; prorationDate: number | null; expiresAt: Instant },
): string {
  const sealed: Payload = { prorationDate, expiresAt, shown: digestOf(shown) };
  const text = Buffer.from(JSON.stringify(sealed)).toString('base64url');
  return `${text}.${sign(stripeSecretKey, text).toString('base64url')}`;
}

/** What a token holds; null: it is none of ours, or has expired. */
export function openPreview(stripeSecretKey: string, token: string, now: Instant): Payload | null {
  const [text = '', signature = '', ...rest] = token.split('.');
  const given = Buffer.from(signature, 'base64url');
  const right = sign(stripeSecretKey, text);
  if (rest.length > 0 || given.length !== right.length || !timingSafeEqual(given, right)) return null;
  const opened = payload.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  return opened.expiresAt > now ? opened : null;
}

import { createStripeClient, readJsonFile, writeJsonFile } from '@billing/platform';
import type { Stripe } from 'stripe';
import { z } from 'zod';
import { paths } from './paths.ts';

const demoFile = z.object({
  apiKey: z.string(),
  /** Stripe's price ids, which are also our price ids here. */
  prices: z.object({ subscription: z.string(), payment: z.string() }),
});

export type Demo = z.infer<typeof demoFile>;

export const demoProject = 'demo';

type DemoOptions = {
  apiUrl: string;
  adminSecret: string;
  stripe: { secretKey: string; apiBase: string | undefined };
};

const products = {
  subscription: {
    product_id: 'premium',
    name: 'Premium',
    feature_codes: ['premium_export', 'priority_support'],
    features: [
      { feature_code: 'api_calls', allowance: 1_000, period: 'month' },
      { feature_code: 'seats', limit: 5 },
    ],
    group: 'plans',
    rank: 2,
    amount: 1_900,
    interval: 'month',
  },
  payment: {
    product_id: 'lifetime_reports',
    name: 'Lifetime reports',
    feature_codes: ['reports'],
    features: [],
    group: null,
    rank: null,
    amount: 4_900,
    interval: 'one_time',
  },
} as const;

/** What the demo's subscription gives besides: a metered feature and a limit. */
const usageFeatures = [
  { feature_code: 'api_calls', name: 'API calls', kind: 'metered', unit: 'call', thresholds: [80, 100] },
  { feature_code: 'seats', name: 'Seats', kind: 'limit', unit: 'seat', counted: true },
];

/**
 * A project with two products, a monthly and a one-time price and an API key, made through the public API and Stripe. What an
 * earlier start made is used again while both sides still have it.
 */
export async function seedDemo(options: DemoOptions): Promise<Demo> {
  const stripe = createStripeClient(options.stripe);
  const kept = readJsonFile(paths.demo, demoFile);
  if (kept !== undefined && (await isStillKnown({ options, stripe }, kept))) return kept;
  await admin(options, '/projects', { project_id: demoProject, name: 'Demo' });
  for (const feature of usageFeatures) await admin(options, `/projects/${demoProject}/features`, feature);
  const [subscription, payment] = await Promise.all([
    ensurePrice({ options, stripe }, { kind: 'subscription', kept }),
    ensurePrice({ options, stripe }, { kind: 'payment', kept }),
  ]);
  const created = await admin(options, `/projects/${demoProject}/api-keys`, { name: 'npm start' });
  const { api_key: apiKey } = z.object({ api_key: z.string() }).parse(created);
  const demo = { apiKey, prices: { subscription, payment } };
  writeJsonFile(paths.demo, demo);
  return demo;
}

type Sides = { options: DemoOptions; stripe: Stripe };

async function isStillKnown({ options, stripe }: Sides, { apiKey, prices }: Demo): Promise<boolean> {
  const check = fetch(`${options.apiUrl}/api/v1/entitlements?user_id=npm-start`, {
    headers: { authorization: `Bearer ${apiKey}` },
    signal: AbortSignal.timeout(5_000),
  });
  const [answer, ...known] = await Promise.all([
    check,
    isPriceKnown(stripe, prices.subscription),
    isPriceKnown(stripe, prices.payment),
  ]);
  return answer.ok && known.every(Boolean);
}

async function isPriceKnown(stripe: Stripe, id: string): Promise<boolean> {
  return stripe.prices.retrieve(id).then(
    () => true,
    () => false,
  );
}

type Kind = keyof typeof products;

/** Makes a price unless both sides have it. Ours takes Stripe's id, so that one id works on both sides. */
async function ensurePrice(
  { options, stripe }: Sides,
  { kind, kept }: { kind: Kind; kept: Demo | undefined },
): Promise<string> {
  const { amount, interval, ...product } = products[kind];
  const keptId = kept?.prices[kind];
  const isKnown = keptId !== undefined && (await isPriceKnown(stripe, keptId));
  const stripePriceId = isKnown ? keptId : await createStripePrice(stripe, products[kind]);
  const project = `/projects/${demoProject}`;
  await admin(options, `${project}/products`, product);
  const price = {
    price_id: stripePriceId,
    product_id: product.product_id,
    stripe_price_id: stripePriceId,
    amount,
    currency: 'usd',
    interval,
  };
  await admin(options, `${project}/prices`, price);
  return stripePriceId;
}

async function createStripePrice(
  stripe: Stripe,
  { name, amount, interval }: (typeof products)[Kind],
): Promise<string> {
  const product = await stripe.products.create({ name });
  const price = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: amount,
    ...(interval === 'month' ? { recurring: { interval } } : {}),
  });
  return price.id;
}

/** Calls the admin API; 409 is success: the object exists already. */
async function admin({ apiUrl, adminSecret }: DemoOptions, path: string, body: object): Promise<unknown> {
  const response = await fetch(`${apiUrl}/api/v1/admin${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminSecret}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok || response.status === 409) return answer;
  const detail =
    z.object({ detail: z.string() }).safeParse(answer).data?.detail ?? `status ${response.status}`;
  throw new Error(`The demo project could not be made: POST /api/v1/admin${path} answered "${detail}".`);
}

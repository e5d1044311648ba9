import { createRequire } from 'node:module';
import type { runMigrations, StripeSync } from '@supabase/stripe-sync-engine';
import { z } from 'zod';
import { serveFastify } from './webhook/serve-fastify.ts';

/** Its ES build looks for its migrations by `__dirname`, which only CommonJS has. */
const engine = z
  .object({
    StripeSync: z.custom<typeof StripeSync>((value) => typeof value === 'function'),
    runMigrations: z.custom<typeof runMigrations>((value) => typeof value === 'function'),
  })
  .parse(createRequire(import.meta.url)('@supabase/stripe-sync-engine'));

const databaseUrl = process.env['BENCH_DATABASE_URL'] ?? '';
const schema = 'stripe';
const text = JSON.stringify({ received: true });

/** The npm sync engine behind Fastify, as its guide shows it: it verifies and writes inside the request. */
await engine.runMigrations({ databaseUrl, schema });
const sync = new engine.StripeSync({
  schema,
  poolConfig: { connectionString: databaseUrl, max: 10, idleTimeoutMillis: 0 },
  stripeSecretKey: 'sk_test_bench',
  stripeWebhookSecret: process.env['STRIPE_WEBHOOK_SECRET'] ?? '',
});
await serveFastify(async (body, signature) => {
  await sync.processWebhook(body, signature);
  return { status: 200, text };
});

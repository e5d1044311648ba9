import { projectEvent, stripeEventJob } from '@billing/domain';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { Counter, Registry } from 'prom-client';
import { Stripe } from 'stripe';
import { z } from 'zod';

const parsedEvent = z.looseObject({ id: z.string(), type: z.string() });

export type Accepted = { status: number; text: string };

/**
 * The least that accepting a webhook takes: the stripe package's check of the signature, the event's projection, one
 * BullMQ job under the event's id, a counter.
 */
export function createWebhookWork(): (body: Buffer, signature: string | undefined) => Promise<Accepted> {
  const queue = new Queue(process.env['BENCH_QUEUE'] ?? 'bench-webhooks', {
    connection: new Redis(process.env['REDIS_URL'] ?? '', { maxRetriesPerRequest: null }),
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    skipMetasUpdate: true,
  });
  const secret = process.env['STRIPE_WEBHOOK_SECRET'] ?? '';
  const stripe = new Stripe('sk_test_bench');
  const registers = [new Registry()];
  const received = new Counter({ name: 'received', help: 'received', labelNames: ['type'], registers });

  return async (body, signature) => {
    const event = parsedEvent.parse(stripe.webhooks.constructEvent(body, signature ?? '', secret));
    const job = stripeEventJob.parse({ event: projectEvent(event), received_at: new Date().toISOString() });
    await queue.add(event.type, job, { jobId: event.id });
    received.inc({ type: event.type });
    return { status: 200, text: JSON.stringify({ received: true, event_id: event.id }) };
  };
}

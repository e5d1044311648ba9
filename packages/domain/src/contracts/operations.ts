import { z } from 'zod';
import { errorCatalog } from '../errors.ts';

const codes = Object.keys(errorCatalog);

/** Every error, as RFC 9457 (application/problem+json) has it. */
export const problemOut = z
  .object({
    type: z.string().describe('A URN that ends with the code.'),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().describe('What to do.'),
    code: z.string().meta({ enum: codes }).describe('Stable: decide by this word.'),
    request_id: z.string().describe('Name it when you report the error.'),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('The fields to correct.'),
  })
  .meta({ id: 'Problem' });

export const webhookResponse = z
  .object({ received: z.literal(true), event_id: z.string() })
  .meta({ id: 'WebhookResponse' });

export const healthResponse = z.object({ status: z.literal('healthy') });
export const liveResponse = z.object({ status: z.literal('alive') });
export const readyResponse = z
  .object({ status: z.enum(['ready', 'not ready']), checks: z.record(z.string(), z.string()) })
  .meta({ id: 'Readiness' });

import { z } from 'zod';
import { eventOut } from './records.ts';
import { fieldChange } from './runs.ts';

export const eventDetailOut = eventOut
  .extend({
    customer_id: z.string().nullable(),
    project_id: z.string().nullable().describe('Null: no project is known of it.'),
    awaits: z.string().nullable().describe('The Stripe customer or price that releases it.'),
    api_version: z.string().nullable(),
    payload: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe('The part of the event that the service uses; null: it is no longer kept.'),
    previous_event_id: z
      .string()
      .nullable()
      .describe('The event about the same object before it; null: none is known.'),
    changes: z
      .array(fieldChange)
      .nullable()
      .describe(
        'In which fields of the object it differs from the event before; null: one of the two is not there to compare.',
      ),
    objects: z
      .array(
        z.object({
          kind: z.enum(['subscription', 'purchase']),
          id: z.string(),
          is_newest: z.boolean().describe('The state that is stored is as this event has it.'),
          project_id: z.string().nullable(),
          user_id: z.string().nullable(),
        }),
      )
      .describe('What is stored of the objects that it is about, once for each owner.'),
  })
  .meta({ id: 'EventDetail' });
export type EventDetailOut = z.output<typeof eventDetailOut>;

import { z } from 'zod';
import { id } from '../ids.ts';
import { timestamp } from '../time.ts';
import { amount, maxAmount } from '../usage/amounts.ts';
import { storableJson, storableRule } from '../usage/storable-json.ts';

const ofKey = id.optional().describe('Optional; must be the project of the API key.');

export const usageEventRequest = z
  .strictObject({
    project_id: ofKey,
    user_id: id,
    feature_code: id,
    event_id: id.describe('Of the project. The same event again has no second effect.'),
    quantity: z
      .number()
      .int()
      .min(-maxAmount)
      .max(maxAmount)
      .refine((quantity) => quantity !== 0, { message: 'must not be 0' })
      .default(1)
      .describe('Not 0. Negative for a counted limit, and always with `corrects`.'),
    mode: z
      .enum(['enforce', 'record'])
      .default('enforce')
      .describe(
        '`enforce`: taken only if all of it is allowed. `record`: it happened, and is stored in any case.',
      ),
    timestamp: timestamp('When it happened. Default: now.').optional(),
    corrects: id.optional().describe('The event that a negative quantity gives back of.'),
    properties: storableJson(2_048)
      .optional()
      .meta({ description: `Any JSON up to 2 KB, ${storableRule}. Kept with the event.` }),
  })
  .refine(({ corrects, quantity }) => corrects === undefined || quantity < 0, {
    path: ['quantity'],
    message: 'must be negative with corrects',
  })
  .meta({ id: 'UsageEvent' });
export type UsageEventRequest = z.output<typeof usageEventRequest>;

export const levelRequest = z
  .strictObject({
    project_id: ofKey,
    user_id: id,
    feature_code: id,
    level: amount,
    observed_at: timestamp('When the level was that. An older one than the last is not recorded.'),
    event_id: id,
  })
  .meta({ id: 'UsageLevel' });
export type LevelRequest = z.output<typeof levelRequest>;

const positive = z.number().int().min(1).max(maxAmount);

export const reservationRequest = z
  .strictObject({
    reservation_id: id,
    project_id: ofKey,
    user_id: id,
    feature_code: id,
    quantity: positive,
    expires_in_seconds: z.number().int().min(1).max(86_400).default(300),
    on_expiry: z.enum(['release', 'charge']).default('release'),
  })
  .meta({ id: 'NewReservation' });
export type ReservationRequest = z.output<typeof reservationRequest>;

export const confirmRequest = z
  .strictObject({
    quantity: amount.optional().describe('What was used. Default: all that is held.'),
    overrun: z
      .enum(['record', 'deny'])
      .default('record')
      .describe('Of more than is held: recorded in any case, or only if it is allowed.'),
  })
  .meta({ id: 'Confirmation' });
export type ConfirmRequest = z.output<typeof confirmRequest>;

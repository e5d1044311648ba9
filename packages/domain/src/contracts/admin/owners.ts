import { z } from 'zod';
import { id, text } from '../../ids.ts';
import { customerOut } from './access.ts';
import { dryRun } from './dry-run.ts';

export const moveCustomerRequest = z
  .strictObject({ user_id: id, reason: text, dry_run: dryRun })
  .meta({ id: 'CustomerMove' });
export type MoveCustomerRequest = z.output<typeof moveCustomerRequest>;

const previousUserId = z
  .string()
  .nullable()
  .describe('The user who had it in the project before; null: nobody.');

export const movedCustomerOut = customerOut
  .extend({ previous_user_id: previousUserId })
  .meta({ id: 'MovedCustomer' });
export type MovedCustomerOut = z.output<typeof movedCustomerOut>;

const named = ['subscription_id', 'payment_intent_id', 'session_id'] as const;

export const assignRequest = z
  .strictObject({
    subscription_id: id
      .optional()
      .describe('Exactly one of `subscription_id`, `payment_intent_id` and `session_id` is given.'),
    payment_intent_id: id.optional().describe('Of a one-time payment.'),
    session_id: id.optional().describe('Of a Checkout session: what it sold is assigned.'),
    project_id: id,
    user_id: id,
    reason: text,
    dry_run: dryRun,
  })
  .refine((request) => named.filter((name) => request[name] !== undefined).length === 1, {
    path: ['subscription_id'],
    message: 'give exactly one of subscription_id, payment_intent_id, session_id',
  })
  .meta({ id: 'NewAssignment' });
export type AssignRequest = z.output<typeof assignRequest>;

export const assignedOut = z
  .object({
    source: z.enum(['subscription', 'purchase']),
    source_id: z.string().describe('As in the explanation of entitlements.'),
    project_id: z.string(),
    user_id: z.string(),
    previous_user_id: previousUserId,
    released_events: z.number().int().describe('How many quarantined events count now.'),
  })
  .meta({ id: 'Assignment' });
export type AssignedOut = z.output<typeof assignedOut>;

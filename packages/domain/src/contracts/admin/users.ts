import { z } from 'zod';
import { id } from '../../ids.ts';
import { ownerSources } from '../../order/resolve-owner.ts';
import { entitlementOut, explanationOut } from '../entitlements.ts';
import { listOf } from './listing.ts';
import { auditOut, eventOut } from './records.ts';

export const findUsersQuery = z.strictObject({
  project_id: id.optional().describe('Only users and keys of this project.'),
  query: id.describe(
    "A user id; Stripe's id of a customer, subscription, PaymentIntent, charge, session, invoice or event; the prefix of an API key.",
  ),
});
export type FindUsersQuery = z.output<typeof findUsersQuery>;

export const userMatches = [
  'user_id',
  'customer',
  'subscription',
  'payment',
  'invoice',
  'event',
  'api_key',
] as const;
export type UserMatch = (typeof userMatches)[number];

export const foundUserOut = z
  .object({
    project_id: z.string().nullable().describe('Null: it belongs to nobody yet.'),
    user_id: z.string().nullable(),
    key_id: z.string().nullable().describe('Of an API key.'),
    matched: z.enum(userMatches),
    matched_id: z.string().describe('The user, object or key that matched.'),
    owner_source: z
      .enum(ownerSources)
      .nullable()
      .describe("How it is known that a customer, subscription or payment is the user's; null: of others."),
  })
  .meta({ id: 'FoundUser' });
export type FoundUserOut = z.output<typeof foundUserOut>;
export const foundUserList = listOf(foundUserOut).meta({ id: 'FoundUserList' });

export const userCustomerOut = z
  .object({
    stripe_customer_id: z.string(),
    source: z.string().describe('Who mapped it: `checkout`, `admin`, `import` or `confirm` (the project).'),
    created_at: z.iso.datetime(),
    deleted_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'UserCustomer' });

export const hintedSourceOut = z
  .object({
    source: z.enum(['subscription', 'purchase']),
    source_id: z.string(),
    stripe_customer_id: z.string().nullable(),
    status: z.string(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'HintedSource' });

export const userOut = z
  .object({
    project_id: z.string(),
    user_id: z.string(),
    created_at: z.iso.datetime(),
    version: z.number().int(),
    customers: z.array(userCustomerOut).describe('Mapped to the user.'),
    buyer_hints: z
      .array(hintedSourceOut)
      .describe(
        "The newest sources that are the user's only because a buyer typed the user's id, with the customers of those buyers. They grant, or wait, as the policy's `accept_buyer_hints` says; nothing else treats them as the user's.",
      ),
    entitlements: z.array(entitlementOut),
    explanation: z.array(explanationOut).describe('Every source, in force or not.'),
    events: z.array(eventOut).describe("Stripe's newest events about the user's objects and customers."),
    audit: z.array(auditOut).describe('The newest changes by hand that concern the user.'),
  })
  .meta({ id: 'User' });
export type UserOut = z.output<typeof userOut>;

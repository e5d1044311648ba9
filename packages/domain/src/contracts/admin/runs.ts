import { z } from 'zod';
import { id, text } from '../../ids.ts';
import { timestamp } from '../../time.ts';
import { listOf, pageFields } from './listing.ts';
import { eventStatuses } from './records.ts';

export const reconcileRequest = z.strictObject({
  dry_run: z.boolean().default(false).describe('True: reports the differences and changes nothing.'),
  project_id: id.optional().describe("Only objects of this project's users."),
  since: timestamp(
    'Compare payments and checkout sessions from this moment on; not in the future. Absent: the last 30 days. Subscriptions are compared whatever their age.',
  ).optional(),
});

const replayReason = text.optional().describe('Why: kept in the audit log.');

export const replayEventRequest = z.strictObject({
  dry_run: z.boolean().default(false),
  reason: replayReason,
});

/** Which events of the ledger to apply again. */
export const replayEventsRequest = z
  .strictObject({
    object_id: id.optional().describe('Only events about this Stripe object.'),
    from: timestamp('Only events that Stripe created from this moment on (inclusive).').optional(),
    to: timestamp(
      'Only events that Stripe created before this moment (exclusive); later than `from`.',
    ).optional(),
    dry_run: z.boolean().default(false).describe('True: reports what would change and changes nothing.'),
    reason: replayReason,
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ['to'],
    message: 'must be later than from',
  });
export type ReplayEventsRequest = z.output<typeof replayEventsRequest>;

/** One field that a replay changes, or in a dry run would change. */
export const fieldChange = z.object({ path: z.string(), before: z.unknown(), after: z.unknown() });
export type FieldChange = z.output<typeof fieldChange>;

export const replayEventResponse = z
  .object({
    event_id: z.string(),
    dry_run: z.boolean(),
    outcome: z.enum(eventStatuses),
    reason: z.string().nullable(),
    changes: z.array(fieldChange),
  })
  .meta({ id: 'EventReplay' });
export type ReplayEventResponse = z.output<typeof replayEventResponse>;

export const driftKinds = [
  'subscription_updated',
  'subscription_created',
  'subscription_missing_in_stripe',
  'purchase_updated',
  'purchase_created',
  'purchase_missing_in_stripe',
  'price_differs',
  'price_missing_in_stripe',
] as const;
export type DriftKind = (typeof driftKinds)[number];

/** One object that differs from Stripe, with the fields that differ. */
export const driftEntry = z.object({
  kind: z.enum(driftKinds),
  object_id: z.string(),
  before: z.record(z.string(), z.unknown()).nullable(),
  after: z.record(z.string(), z.unknown()).nullable(),
});
export type DriftEntry = z.output<typeof driftEntry>;

/** `…_synced`: compared with Stripe; `…_updated`: repaired or created, or in a dry run would be. */
export const reconcileResult = z
  .object({
    subscriptions_synced: z.number().int(),
    subscriptions_updated: z.number().int(),
    subscriptions_missing_in_stripe: z.number().int(),
    purchases_synced: z.number().int(),
    purchases_updated: z.number().int(),
    purchases_missing_in_stripe: z.number().int(),
    prices_synced: z.number().int().optional().describe('Absent in runs of older versions.'),
    prices_differing: z
      .number()
      .int()
      .optional()
      .describe('Left as they are: only an operator knows which one is meant.'),
    prices_missing_in_stripe: z.number().int().optional(),
    drift: z.array(driftEntry),
    /** True: `drift` lists only some of the objects; the counts include all. */
    drift_truncated: z.boolean(),
    /** Null: by a version that did not say it. */
    looked_back_to: z.iso
      .datetime()
      .nullable()
      .default(null)
      .describe('Payments and checkout sessions created before this moment were not compared.'),
  })
  .meta({ id: 'ReconcileResult' });
export type ReconcileResult = z.output<typeof reconcileResult>;

export const replayResult = z
  .object({
    events_replayed: z.number().int(),
    events_without_payload: z.number().int().default(0).meta({
      description: 'Not replayed: neither the ledger nor Stripe keeps their payload any more.',
    }),
    outcomes: z.object({
      applied: z.number().int(),
      stale: z.number().int(),
      ignored: z.number().int(),
      quarantined: z.number().int(),
      failed: z.number().int(),
    }),
    changes: z.array(fieldChange.extend({ event_id: z.string() })),
    changes_truncated: z.boolean(),
  })
  .meta({ id: 'ReplayResult' });
export type ReplayResult = z.output<typeof replayResult>;

/** How much an erasure took away. */
export const eraseResult = z
  .object({
    subscriptions: z.number().int(),
    purchases: z.number().int(),
    grants: z.number().int(),
    customers: z.number().int().describe("The user's mappings to customers of Stripe."),
    events: z.number().int().describe('Events of the ledger whose payload was emptied.'),
    idempotency_keys: z.number().int(),
    runs: z.number().int().describe('Runs whose reports named the user.'),
    jobs: z.number().int().describe('Events that waited in the queue.'),
    audit_entries: z.number().int().describe('Entries of the audit log whose readable part was emptied.'),
    customers_deleted_at_stripe: z.number().int(),
    customers_left_at_stripe: z
      .array(z.string())
      .describe('Asked to be deleted and not deleted (yet): others are mapped to them or pay by them.'),
  })
  .meta({ id: 'EraseResult' });
export type EraseResult = z.output<typeof eraseResult>;

export const runAccepted = z.object({ run_id: z.string() });
export type RunAccepted = z.output<typeof runAccepted>;

export const runKinds = ['reconcile', 'replay', 'erase', 'backfill', 'base_line', 'import'] as const;
export type RunKindName = (typeof runKinds)[number];

/** What an import of the command line did, by the names in its summary. */
export const importResult = z
  .object({
    counts: z.record(z.string(), z.number().int()),
    findings: z.record(z.string(), z.object({ count: z.number().int(), examples: z.array(z.string()) })),
  })
  .meta({ id: 'ImportResult' });
export type ImportResult = z.output<typeof importResult>;

/** Of a backfill or base line: how many users it came to. */
export const fanOutResult = z.object({ users: z.number().int() }).meta({ id: 'FanOutResult' });

export const runStatuses = ['running', 'done', 'failed'] as const;

export const runProgress = z.object({
  /** `queued` until a worker takes the run, then the kind of objects it is at. */
  phase: z.string(),
  objects: z.number().int(),
});

export const runOut = z
  .object({
    run_id: z.string(),
    kind: z.enum(runKinds),
    status: z.enum(runStatuses),
    dry_run: z.boolean(),
    project_id: z.string().nullable(),
    progress: runProgress,
    /** The result so far; final once the status is `done`. */
    result: z
      .union([reconcileResult, replayResult, replayEventResponse, importResult, eraseResult, fanOutResult])
      .nullable(),
    /** Why the run failed, or what it is waiting for. */
    error: z.string().nullable(),
    requested_by: z.string(),
    created_at: z.iso.datetime(),
    started_at: z.iso.datetime().nullable(),
    finished_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Run' });
export type RunOut = z.output<typeof runOut>;
export const runList = listOf(runOut).meta({ id: 'RunList' });

export const runsQuery = z.strictObject({
  kind: z.enum(runKinds).optional(),
  status: z.enum(runStatuses).optional(),
  ...pageFields,
});
export type RunsQuery = z.output<typeof runsQuery>;

import { eraseResult } from '@billing/domain';
import type { EraseResult } from '@billing/domain';
import {
  blankPayloads,
  deleteLeftPayloads,
  cacheFilledMs,
  eraseUsageEvents,
  forgetAnswers,
  forgetInAudit,
  forgetInRuns,
  hasPassedSince,
  hasPendingInvalidation,
  publishPending,
} from '@billing/store';
import { z } from 'zod';
import type { MaintenanceDeps } from '../deps.ts';
import { createRunWorker } from '../run-worker.ts';
import type { Step } from '../run-worker.ts';
import { dropJobs } from './drop-jobs.ts';
import { deleteAtStripe } from './delete-at-stripe.ts';
import { takeOutClaims } from './take-out-claims.ts';

/**
 * The order: first all is awaited that began before the erasure, a statement or an answer on its way to the cache; then what
 * others could read the id from and write it again. The audit log comes after all that is done here, as it holds the request;
 * Stripe comes last, as it may take long.
 */
const phases = [
  'waiting',
  'subscriptions',
  'purchases',
  'usage',
  'events',
  'left_payloads',
  'idempotency_keys',
  'jobs',
  'runs',
  'cache',
  'audit_log',
  'stripe',
] as const;
type Phase = (typeof phases)[number];

const counts = z.object({
  subscriptions: z.number(),
  purchases: z.number(),
  grants: z.number(),
  customers: z.number(),
});

const state = z.object({
  phase: z.enum(phases),
  /** Rows or pages looked through. */
  objects: z.number().int(),
  /** Where the phase's table was left. */
  after: z.string(),
});
type State = z.output<typeof state>;

const params = z.object({
  version: z.string().transform(BigInt),
  erased_at: z.iso.datetime().transform((at) => new Date(at)),
  sealed: z.string(),
  object_ids: z.array(z.string()),
  customer_ids: z.array(z.string()),
  stripe_customer_ids: z.array(z.string()),
});

/** The user whom a run erases, and what that user had at Stripe. */
export type Erasing = {
  runId: string;
  projectId: string;
  userId: string;
  version: bigint;
  erasedAt: Date;
  objectIds: readonly string[];
  customerIds: readonly string[];
  stripeCustomerIds: readonly string[];
};

type At = { state: State; result: EraseResult };
type Done = Step<State, EraseResult>;

const next = ({ state: from }: At, result: EraseResult, to: Partial<State> = {}): Done => ({
  kind: 'next',
  state: { ...from, ...to, objects: from.objects + 1 },
  result,
});

/** Goes on with the next phase. */
const nextPhase = (at: At, result: EraseResult): Done => {
  const phase = phases[phases.indexOf(at.state.phase) + 1];
  return phase === undefined ? { kind: 'done', result } : next(at, result, { phase, after: '' });
};

const nextPage = (at: At, result: EraseResult, page: { isLast: boolean; after: string }): Done =>
  page.isLast ? nextPhase(at, result) : next(at, result, { after: page.after });

type Work = (deps: MaintenanceDeps, user: Erasing, at: At) => Promise<Done>;

const workOf: Record<Phase, Work> = {
  waiting: async ({ database }, { runId }, at) =>
    (await hasPassedSince(database, { runId, ms: cacheFilledMs }))
      ? nextPhase(at, at.result)
      : waitFor('what began before the erasure may not be over', 500),
  subscriptions: async (deps, user, at) =>
    nextPage(at, at.result, await takeOutClaims(deps, 'subscriptions', { ...user, after: at.state.after })),
  purchases: async (deps, user, at) =>
    nextPage(at, at.result, await takeOutClaims(deps, 'purchases', { ...user, after: at.state.after })),
  usage: async ({ database }, user, at) =>
    (await eraseUsageEvents(database, user)) ? next(at, at.result) : nextPhase(at, at.result),
  events: async ({ database }, user, at) => {
    const page = await blankPayloads(database, { ...user, after: at.state.after });
    return nextPage(at, { ...at.result, events: at.result.events + page.changed }, page);
  },
  left_payloads: async ({ database }, user, at) => {
    const page = await deleteLeftPayloads(database, { ...user, after: at.state.after });
    return nextPage(at, { ...at.result, events: at.result.events + page.changed }, page);
  },
  idempotency_keys: async ({ database }, user, at) => {
    const forgotten = await forgetAnswers(database, user);
    return nextPhase(at, { ...at.result, idempotency_keys: at.result.idempotency_keys + forgotten });
  },
  jobs: async (deps, user, at) => {
    const { dropped, isDone } = await dropJobs(deps, user);
    const result = { ...at.result, jobs: at.result.jobs + dropped };
    if (dropped > 0) return next(at, result);
    return isDone ? nextPhase(at, result) : waitFor('an event that names the user is being processed', 500);
  },
  runs: async ({ database }, user, at) => {
    const { changed, isHeld } = await forgetInRuns(database, user);
    const result = { ...at.result, runs: at.result.runs + changed };
    if (isHeld && changed > 0) return next(at, result);
    return isHeld ? waitFor('a run that reports the user is under way', 2_000) : nextPhase(at, result);
  },
  cache: forgetInCache,
  audit_log: async ({ database }, user, at) =>
    nextPhase(at, {
      ...at.result,
      audit_entries: at.result.audit_entries + (await forgetInAudit(database, user)),
    }),
  stripe: (deps, user, at) => deleteAtStripe(deps, user, at.result),
};

const waitFor = (why: string, pauseMs: number): Done => ({ kind: 'later', pauseMs, why });

async function forgetInCache(deps: MaintenanceDeps, user: Erasing, at: At): Promise<Done> {
  const { database, cache, usage } = deps;
  if (await hasPendingInvalidation(database, user)) {
    await publishPending(deps, { olderThanMs: 0 });
    return waitFor('the cache is being told', 500);
  }
  await cache.forget(user);
  await usage.cache.forget(user);
  return nextPhase(at, at.result);
}

const beginning = z.object({ counts });

/**
 * Takes the id of an erased user out of all that names the user without being the user's, and at last, if asked for, deletes
 * the user's customers at Stripe. The user's own went with the request. Each step may be done again.
 */
export const eraseRun = createRunWorker<State, EraseResult>({
  state,
  result: eraseResult,
  begin: (run) => ({
    state: { phase: 'waiting', objects: 0, after: '' },
    result: {
      ...beginning.parse(run.state).counts,
      events: 0,
      idempotency_keys: 0,
      runs: 0,
      jobs: 0,
      audit_entries: 0,
      customers_deleted_at_stripe: 0,
      customers_left_at_stripe: params.parse(run.params).stripe_customer_ids,
    },
  }),
  step: async (deps, run, at) => {
    const given = params.parse(run.params);
    const userId = deps.erasureKeys.open(given.sealed);
    if (userId === null || run.projectId === null)
      return { kind: 'failed', why: 'ERASURE_KEY lacks the key of this run: set it and ask again' };
    const user: Erasing = {
      runId: run.id,
      projectId: run.projectId,
      userId,
      version: given.version,
      erasedAt: given.erased_at,
      objectIds: given.object_ids,
      customerIds: given.customer_ids,
      stripeCustomerIds: given.stripe_customer_ids,
    };
    return workOf[at.state.phase](deps, user, at);
  },
  ended: ({ counters }, outcome) => counters.erasures.inc({ outcome }),
});

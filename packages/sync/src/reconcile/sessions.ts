import { findOwnerlessSubscriptions } from '@billing/store';
import type { Run } from '@billing/store';
import type { DriftEntry } from '@billing/domain';
import { readState } from '../apply/read-state.ts';
import { planSessions, sessionKeys, subscriptionSession } from '../apply/session-claims.ts';
import type { SubscriptionSession } from '../apply/session-claims.ts';
import type { MaintenanceDeps } from '../deps.ts';
import { readPage } from '../stripe/ask-stripe.ts';
import { changeOf, repair } from './compare-page.ts';
import type { ComparedPage, ListedObject, Listing } from './compare-page.ts';

const sessionsIn = (rows: readonly ListedObject[]): SubscriptionSession[] =>
  rows.flatMap((row) => subscriptionSession(row));

/**
 * Stripe's sessions: those that took a payment are compared as `payments` does, those that started a subscription name its
 * owner.
 */
export function sessionListing(deps: MaintenanceDeps, run: Run, payments: Listing): Listing {
  return {
    ...payments,
    compare: async (rows, state, mayLookUp) => {
      const compared = await payments.compare(rows, state, mayLookUp);
      const sessions = sessionsIn(rows);
      if (compared.kind !== 'compared' || sessions.length === 0) return compared;
      const ofSessions = await readState(deps, sessionKeys(sessions));
      const changes = planSessions(sessions, ofSessions).flatMap(
        (plan) => changeOf(plan, { state: ofSessions, projectId: run.projectId }) ?? [],
      );
      return { kind: 'compared', changes: [...compared.changes, ...changes] };
    },
  };
}

/** Each is one request: few at a time, so that the run saves its position often. */
const perStep = 20;

/** What the sessions of one subscription add to it, repaired. */
async function addClaims(
  deps: MaintenanceDeps,
  run: Run,
  sessions: readonly SubscriptionSession[],
): Promise<DriftEntry[]> {
  const state = await readState(deps, sessionKeys(sessions));
  const changes = planSessions(sessions, state).flatMap(
    (plan) => changeOf(plan, { state, projectId: run.projectId }) ?? [],
  );
  return repair(deps, run, changes);
}

/**
 * Asks for the sessions of subscriptions that have no owner and whose sessions may name one: they may be older than what
 * is listed by time. One request each, behind all else.
 */
export async function askForOwners(
  deps: MaintenanceDeps,
  { run, after }: { run: Run; after: string | null },
): Promise<ComparedPage> {
  const { database, stripe, signal } = deps;
  const query = { projectId: run.projectId, after: after ?? '', limit: perStep };
  const ids = await findOwnerlessSubscriptions(database, query);
  const drift: DriftEntry[] = [];
  let last: string | null = null;
  for (const id of ids) {
    const page = await readPage(deps, signal, () =>
      stripe.checkout.sessions.list({ subscription: id, limit: 100 }),
    );
    if (page.kind === 'later' || page.kind === 'refused')
      // What was repaired before stays reported.
      return last === null ? page : { kind: 'compared', synced: 0, objects: 0, drift, after: last };
    if (page.kind === 'page') drift.push(...(await addClaims(deps, run, sessionsIn(page.rows))));
    last = id;
  }
  return {
    kind: 'compared',
    synced: 0,
    objects: ids.length,
    drift,
    after: ids.length === perStep ? last : null,
  };
}

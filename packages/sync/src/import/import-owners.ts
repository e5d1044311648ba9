import { isTerminal, resolveOwners } from '@billing/domain';
import { findOwnerlessOf } from '@billing/store';
import type { EventState } from '@billing/store';
import type { Stripe } from 'stripe';
import { noKeys } from '../apply/decide-events.ts';
import type { WritePlan } from '../apply/plan-write.ts';
import { planSessions, sessionKeys, subscriptionSession } from '../apply/session-claims.ts';
import type { SubscriptionSession } from '../apply/session-claims.ts';
import { writePlans } from '../apply/write-plans.ts';
import { ImportError } from './import-deps.ts';
import type { PhaseDeps } from './import-deps.ts';
import { keepPlanned, readState } from './import-scope.ts';
import type { Scope } from './import-scope.ts';
import { count, note } from './import-state.ts';
import { importNamed } from './import-subscriptions.ts';

const maxRounds = 10;

/**
 * Adds to the imported subscriptions what their sessions say of their owners: a Payment Link's buyer is known by nothing
 * else. Throws ImportError.
 */
export async function importOwners(
  deps: PhaseDeps,
  scope: Scope,
  listed: readonly Stripe.Checkout.Session[],
): Promise<void> {
  let left = listed.flatMap((session) => subscriptionSession(session));
  await importNamed(deps, scope, await namedButUnknown(deps, scope, left));
  for (let round = 0; round < maxRounds && left.length > 0; round += 1) {
    const state = await readState(deps, scope, sessionKeys(left));
    const lost = await applySessions(deps, scope, { plans: planSessions(left, state), state });
    left = left.filter(({ subscriptionId }) => lost.has(subscriptionId));
  }
  if (left.length === 0) return;
  throw new ImportError('The subscriptions of a page keep changing. Run the same command again.');
}

const idOf = ({ outcome }: WritePlan): string => (outcome?.kind === 'subscription' ? outcome.row.id : '');

/** Writes what sessions change; returns the subscriptions that changed meanwhile. */
async function applySessions(
  deps: PhaseDeps,
  scope: Scope,
  { plans, state }: { plans: readonly WritePlan[]; state: EventState },
): Promise<ReadonlySet<string>> {
  const written = new Set(deps.isDryRun ? plans : await writePlans(deps.sync, plans, 'import'));
  for (const plan of written) {
    const hadOwner = state.subscriptions.get(idOf(plan))?.owners.first !== null;
    if (plan.owner?.projectId === deps.projectId && !hadOwner)
      count(deps.tally, 'subscriptions_with_user_by_session');
    if (deps.isDryRun) keepPlanned(scope, plan);
  }
  return new Set(plans.filter((plan) => !written.has(plan)).map(idOf));
}

/** Subscriptions that are the project's by nothing but their session's metadata. */
async function namedButUnknown(
  deps: PhaseDeps,
  scope: Scope,
  sessions: readonly SubscriptionSession[],
): Promise<string[]> {
  const named = sessions.filter(({ claims }) => claims.projectId === deps.projectId);
  if (named.length === 0) return [];
  const { subscriptions } = await readState(deps, scope, sessionKeys(named));
  return named
    .map(({ subscriptionId }) => subscriptionId)
    .filter((id) => !subscriptions.has(id) && !scope.plannedSubscriptions.has(id));
}

const perPage = 200;

/** Notes the project's live subscriptions whose user is still unknown, now that the sessions were read, too. */
export async function noteOwnerless(deps: PhaseDeps, scope: Scope): Promise<void> {
  const { sync, projectId } = deps;
  for (let after: string | null = ''; after !== null;) {
    const ids: string[] = await findOwnerlessOf(sync.database, { projectId, after, limit: perPage });
    await noteThose(
      deps,
      scope,
      ids.filter((id) => !scope.plannedSubscriptions.has(id)),
    );
    after = ids.length === perPage ? (ids.at(-1) ?? null) : null;
  }
  // As a dry run would have stored them.
  const planned = [...scope.plannedSubscriptions].flatMap(([id, row]) => (row === null ? [] : id));
  for (let from = 0; from < planned.length; from += perPage)
    await noteThose(deps, scope, planned.slice(from, from + perPage));
}

async function noteThose(deps: PhaseDeps, scope: Scope, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const state = await readState(deps, scope, { ...noKeys, subscriptionIds: ids });
  for (const { row, owners: known } of state.subscriptions.values()) {
    const { owners } = resolveOwners(row, state, known);
    if (isTerminal(row.status) || owners.some(({ owner }) => owner.projectId === deps.projectId)) continue;
    note(deps.tally, 'subscriptions_without_user', `${row.id} (${row.customerId ?? 'no customer'})`);
  }
}

import { fromStripeSeconds, isErasedUser, isId, ServiceError } from '@billing/domain';
import type { Instant } from '@billing/domain';
import { findSeveralCustomers, mapCustomer, publishInvalidations } from '@billing/store';
import type { EventState } from '@billing/store';
import type { Stripe } from 'stripe';
import { eachPage } from './each-page.ts';
import { importActor } from './import-deps.ts';
import type { PhaseDeps } from './import-deps.ts';
import { noKeys } from '../apply/decide-events.ts';
import { readState } from './import-scope.ts';
import type { Scope } from './import-scope.ts';
import { count, note } from './import-state.ts';

type Customers = { scope: Scope; listed: ReadonlyMap<string, string> };
type Wanted = { stripeCustomerId: string; userId: string; since: Instant };

/** Maps Stripe's customers to users: by the given list, else by the customer's metadata. */
export async function importCustomers(deps: PhaseDeps, { scope, listed }: Customers): Promise<void> {
  await eachPage(deps, {
    what: 'customers',
    list: (params) => deps.sync.stripe.customers.list(params),
    handle: async (customers) => {
      count(deps.tally, 'customers_seen', customers.length);
      const wanted = customers.flatMap((customer) => userOf(deps, customer, listed));
      await mapAll(deps, scope, wanted);
    },
  });
  await noteAbsent(deps, { scope, listed });
  for (const customers of await findSeveralCustomers(deps.sync.database, deps.projectId))
    note(deps.tally, 'users_with_several_customers', customers.join(', '));
}

function userOf(
  { tally, projectId }: PhaseDeps,
  { id, metadata, created }: Stripe.Customer,
  listed: Customers['listed'],
): Wanted[] {
  const given = listed.get(id);
  const since = fromStripeSeconds(created);
  if (given !== undefined) return [{ stripeCustomerId: id, userId: given, since }];
  const { user_id: userId, project_id: claimed } = metadata;
  if (claimed !== undefined && claimed !== '' && claimed !== projectId) {
    count(tally, 'customers_of_other_projects');
    return [];
  }
  if (userId === undefined || userId === '') {
    count(tally, 'customers_without_user');
    return [];
  }
  if (isId(userId)) return [{ stripeCustomerId: id, userId, since }];
  note(tally, 'customers_whose_user_id_is_not_usable', id);
  return [];
}

/** An import brings nobody back who was erased; only a checkout, a grant or an operator's mapping does. */
const wasErased = (
  state: EventState,
  { projectId, userId, stripeCustomerId, since }: Wanted & { projectId: string },
): boolean =>
  state.erased?.objects.get(stripeCustomerId)?.has(projectId) === true ||
  isErasedUser(state, { projectId, userId }, since);

async function mapAll(deps: PhaseDeps, scope: Scope, wanted: readonly Wanted[]): Promise<void> {
  const { projectId, tally } = deps;
  const state = await readState(deps, scope, {
    ...noKeys,
    customerIds: wanted.map(({ stripeCustomerId }) => stripeCustomerId),
    userIds: wanted.map(({ userId }) => userId),
    projectIds: [projectId],
  });
  for (const one of wanted) {
    if (wasErased(state, { ...one, projectId })) {
      count(tally, 'customers_of_erased_users');
      continue;
    }
    const owner = state.mappings.get(one.stripeCustomerId)?.find((user) => user.projectId === projectId);
    if (owner === undefined) await mapOne(deps, scope, one);
    else if (owner.userId === one.userId) count(tally, 'customers_there_already');
    else note(tally, 'customers_of_another_user', one.stripeCustomerId);
  }
}

async function mapOne(
  { sync, projectId, tally, isDryRun }: PhaseDeps,
  { plannedOwners }: Scope,
  { stripeCustomerId, userId, since }: Wanted,
): Promise<void> {
  if (isDryRun) {
    plannedOwners.set(stripeCustomerId, [{ ref: null, projectId, userId, version: 0 }]);
    return count(tally, 'customers_mapped');
  }
  const request = { user_id: userId, stripe_customer_id: stripeCustomerId };
  try {
    const { pending } = await mapCustomer(sync.database, {
      projectId,
      request,
      actor: importActor,
      imported: { since },
    });
    await publishInvalidations(sync, pending);
    count(tally, 'customers_mapped');
  } catch (error) {
    // Another process mapped it meanwhile.
    if (!(error instanceof ServiceError) || error.code !== 'customer_exists') throw error;
    note(tally, 'customers_of_another_user', stripeCustomerId);
  }
}

/** Notes listed customers that this account does not have. */
async function noteAbsent(deps: PhaseDeps, { scope, listed }: Customers): Promise<void> {
  const ids = [...listed.keys()];
  for (let from = 0; from < ids.length; from += 1_000) {
    const customerIds = ids.slice(from, from + 1_000);
    const { mappings } = await readState(deps, scope, { ...noKeys, customerIds });
    for (const id of customerIds)
      if (!mappings.has(id)) note(deps.tally, 'listed_customers_not_in_stripe', id);
  }
}

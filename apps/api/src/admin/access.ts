import { grantRequest, mapCustomerRequest, revokeRequest } from '@billing/domain';
import type { CustomerOut, RevokeResponse } from '@billing/domain';
import { createGrant, mapCustomer, revokeGrant } from '@billing/store';
import type { Router } from 'express';
import { mountRoute } from '../http/mount-route.ts';
import { parseBody, parseParams } from '../http/parse.ts';
import { actorOf, settled } from './acting.ts';
import type { AdminDeps } from './acting.ts';
import { presentGrant } from './present.ts';
import { projectPath } from './projects.ts';

/** Who is whose customer, and features given by hand. */
export function mountAccess(router: Router, deps: AdminDeps): void {
  const { database, clock } = deps;
  mountRoute(router, '/projects/:project_id/customers', {
    post: async (request, response) => {
      const { project_id: projectId } = parseParams(projectPath, request);
      const body = parseBody(mapCustomerRequest, request);
      const changed = await mapCustomer(database, { projectId, request: body, actor: actorOf(response) });
      const { customer, released } = await settled(deps, changed);
      const { subscriptions, purchases, events } = released;
      const answer: CustomerOut = {
        project_id: projectId,
        user_id: body.user_id,
        stripe_customer_id: customer.stripeCustomerId,
        created_at: customer.createdAt.toISOString(),
        healed: { subscriptions, purchases, events },
      };
      response.status(201).json(answer);
    },
  });
  mountRoute(router, '/grant', {
    post: async (request, response) => {
      const body = parseBody(grantRequest, request);
      const changed = await createGrant(database, body, { actor: actorOf(response), now: clock() });
      response.status(201).json(presentGrant(await settled(deps, changed), body));
    },
  });
  mountRoute(router, '/revoke', {
    post: async (request, response) => {
      const body = parseBody(revokeRequest, request);
      const now = clock();
      const grant = await settled(deps, await revokeGrant(database, body, { actor: actorOf(response), now }));
      const revokedAt = grant.revokedAt ?? new Date(now);
      const answer: RevokeResponse = { grant_id: grant.id, revoked_at: revokedAt.toISOString() };
      response.status(200).json(answer);
    },
  });
}

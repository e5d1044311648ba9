import { Router } from 'express';
import { requireAdmin } from '../http/authenticate-admin.ts';
import { readJson } from '../http/parse.ts';
import { mountAccess } from './access.ts';
import type { AdminDeps } from './acting.ts';
import { mountApiKeys } from './api-keys.ts';
import { mountPrices } from './prices.ts';
import { mountProducts } from './products.ts';
import { mountProjects } from './projects.ts';
import { mountRecords } from './records.ts';
import { mountRuns } from './runs.ts';

/** The administrator's calls, to be mounted at `/api/v1/admin`: nothing under it says a word to a stranger. */
export function createAdminRouter(deps: AdminDeps): Router {
  const router = Router({ caseSensitive: true });
  router.use(requireAdmin(deps), readJson);
  mountProjects(router, deps);
  mountApiKeys(router, deps);
  mountProducts(router, deps);
  mountPrices(router, deps);
  mountAccess(router, deps);
  mountRecords(router, deps);
  mountRuns(router, deps);
  return router;
}

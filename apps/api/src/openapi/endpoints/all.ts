import type { Endpoint } from '../endpoint.ts';
import { accessEndpoints } from './access-endpoints.ts';
import { catalogEndpoints } from './catalog-endpoints.ts';
import { maintenanceEndpoints } from './maintenance-endpoints.ts';
import { operationsEndpoints } from './operations-endpoints.ts';
import { productEndpoints } from './product-endpoints.ts';
import { projectEndpoints } from './project-endpoints.ts';
import { recordsEndpoints } from './records-endpoints.ts';

/** Every call of the API; a test compares this with the routes that exist. */
export const endpoints: readonly Endpoint[] = [
  ...productEndpoints,
  ...projectEndpoints,
  ...catalogEndpoints,
  ...accessEndpoints,
  ...recordsEndpoints,
  ...maintenanceEndpoints,
  ...operationsEndpoints,
];

import type { MeteredRoute } from '@billing/platform';
import { accessKindOf, allowedMethods, routePatternOf } from './define-endpoint.ts';
import type { AccessKind, Endpoint } from './define-endpoint.ts';

/** Refusals of a caller without a login. Admin calls and the queue screen give them before a route is looked for. */
const refusals: Record<AccessKind, readonly number[]> = {
  project: [401, 429],
  admin: [],
  stripe: [401, 413, 415],
  metrics: [401],
  'queue-screen': [],
  open: [],
};

function openStatusesOf(endpoint: Endpoint): number[] {
  const kind = accessKindOf(endpoint);
  const isOpen = kind === 'open' || kind === 'metrics';
  return [...refusals[kind], ...(isOpen ? endpoint.answers.map(({ status }) => status) : [])];
}

function meteredRoute(path: string, here: readonly Endpoint[]): MeteredRoute {
  return {
    route: routePatternOf(path),
    methods: allowedMethods(here),
    openStatuses: here.flatMap(openStatusesOf),
  };
}

/** The addresses of the API as its metrics know them. */
export const meteredRoutes = (endpoints: readonly Endpoint[]): MeteredRoute[] =>
  [...new Set(endpoints.map(({ path }) => path))].map((path) =>
    meteredRoute(
      path,
      endpoints.filter((endpoint) => endpoint.path === path),
    ),
  );

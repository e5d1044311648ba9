import type { MeteredRoute } from '@billing/platform';
import { accessKindOf, allowedMethods, routePatternOf } from './define-endpoint.ts';
import type { AccessKind, Endpoint } from './define-endpoint.ts';
import { queueScreenPath } from './observe-requests.ts';
import type { RouteFinder } from './observe-requests.ts';

/** Refusals of a caller without a login. */
const refusals: Record<AccessKind, readonly number[]> = {
  project: [401, 429],
  admin: [401, 429],
  stripe: [401, 413, 415],
  metrics: [401, 429],
  'queue-screen': [401, 429],
  console: [401, 429],
  'sign-in': [400, 401, 403, 413, 415, 429],
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

/** Finds the pattern for a request that was refused before its route was looked for. */
export function createRouteFinder(endpoints: readonly Endpoint[]): RouteFinder {
  const routes = endpoints.map((endpoint) => ({
    methods: allowedMethods([endpoint]),
    route: routePatternOf(endpoint.path),
    shape: new RegExp(`^${endpoint.path.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`),
  }));
  return (method, path) => {
    const named = path.startsWith(`${queueScreenPath}/`) ? queueScreenPath : path;
    return routes.find(({ methods, shape }) => methods.includes(method) && shape.test(named))?.route;
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

import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { Loading } from '../parts/states.tsx';
import { NotFound, RouteFailure } from './route-states.tsx';
import { parseSearch, stringifySearch, validateSearch } from './search.ts';
import { Shell } from './shell.tsx';

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: RouteFailure,
  validateSearch,
});
const getParentRoute = () => root;

// Each page is a file of its own, which is loaded when it is opened.
const routes = [
  createRoute({
    getParentRoute,
    path: '/',
    component: lazyRouteComponent(() => import('../pages/overview/overview.tsx'), 'Overview'),
  }),
  createRoute({
    getParentRoute,
    path: '/find',
    component: lazyRouteComponent(() => import('../pages/find.tsx'), 'Find'),
  }),
  createRoute({
    getParentRoute,
    path: '/users/$projectId/$userId',
    component: lazyRouteComponent(() => import('../pages/user/user.tsx'), 'User'),
  }),
  createRoute({
    getParentRoute,
    path: '/projects',
    component: lazyRouteComponent(() => import('../pages/projects/projects.tsx'), 'Projects'),
  }),
  createRoute({
    getParentRoute,
    path: '/projects/$projectId',
    component: lazyRouteComponent(() => import('../pages/projects/project.tsx'), 'Project'),
  }),
  createRoute({
    getParentRoute,
    path: '/projects/$projectId/catalog',
    component: lazyRouteComponent(() => import('../pages/catalog/catalog.tsx'), 'Catalog'),
  }),
  createRoute({
    getParentRoute,
    path: '/projects/$projectId/webhooks',
    component: lazyRouteComponent(() => import('../pages/webhooks/webhooks.tsx'), 'Webhooks'),
  }),
  createRoute({
    getParentRoute,
    path: '/projects/$projectId/webhooks/$endpointId',
    component: lazyRouteComponent(() => import('../pages/webhooks/webhook-endpoint.tsx'), 'WebhookEndpoint'),
  }),
  createRoute({
    getParentRoute,
    path: '/webhook-messages/$messageId',
    component: lazyRouteComponent(() => import('../pages/webhooks/webhook-message.tsx'), 'WebhookMessage'),
  }),
  createRoute({
    getParentRoute,
    path: '/projects/$projectId/usage',
    component: lazyRouteComponent(() => import('../pages/usage/usage.tsx'), 'Usage'),
  }),
  createRoute({
    getParentRoute,
    path: '/sold',
    component: lazyRouteComponent(() => import('../pages/sold/sold.tsx'), 'Sold'),
  }),
  createRoute({
    getParentRoute,
    path: '/events',
    component: lazyRouteComponent(() => import('../pages/events/events.tsx'), 'Events'),
  }),
  createRoute({
    getParentRoute,
    path: '/events/$eventId',
    component: lazyRouteComponent(() => import('../pages/events/event.tsx'), 'Event'),
  }),
  createRoute({
    getParentRoute,
    path: '/quarantine',
    component: lazyRouteComponent(() => import('../pages/quarantine/quarantine.tsx'), 'Quarantine'),
  }),
  createRoute({
    getParentRoute,
    path: '/runs',
    component: lazyRouteComponent(() => import('../pages/runs/runs.tsx'), 'Runs'),
  }),
  createRoute({
    getParentRoute,
    path: '/runs/$runId',
    component: lazyRouteComponent(() => import('../pages/runs/run.tsx'), 'Run'),
  }),
  createRoute({
    getParentRoute,
    path: '/audit',
    component: lazyRouteComponent(() => import('../pages/audit.tsx'), 'Audit'),
  }),
  createRoute({
    getParentRoute,
    path: '/queues',
    component: lazyRouteComponent(() => import('../pages/queues.tsx'), 'Queues'),
  }),
  createRoute({
    getParentRoute,
    path: '/access',
    component: lazyRouteComponent(() => import('../pages/access.tsx'), 'Access'),
  }),
] as const;

export const router = createRouter({
  routeTree: root.addChildren(routes),
  basepath: '/console',
  parseSearch,
  stringifySearch,
  defaultPendingComponent: Loading,
  defaultPendingMs: 200,
  scrollRestoration: true,
});
export type ConsoleRouter = typeof router;

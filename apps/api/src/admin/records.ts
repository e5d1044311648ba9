import { auditQuery, eventsQuery, quarantineQuery } from '@billing/domain';
import { listAudit, listEvents, listQuarantine } from '@billing/store';
import type { Router } from 'express';
import { mountRoute } from '../http/mount-route.ts';
import { parseQuery } from '../http/parse.ts';
import type { AdminDeps } from './acting.ts';
import { presentAudit, presentEvent, presentPage, presentQuarantined } from './present.ts';

/** What happened: to Stripe's events, and by whose hand. */
export function mountRecords(router: Router, { database }: Pick<AdminDeps, 'database'>): void {
  mountRoute(router, '/events', {
    get: async (request, response) => {
      const page = await listEvents(database, parseQuery(eventsQuery, request));
      response.json(presentPage(page, presentEvent));
    },
  });
  mountRoute(router, '/quarantine', {
    get: async (request, response) => {
      const page = await listQuarantine(database, parseQuery(quarantineQuery, request));
      response.json(presentPage(page, presentQuarantined));
    },
  });
  mountRoute(router, '/audit', {
    get: async (request, response) => {
      const page = await listAudit(database, parseQuery(auditQuery, request));
      response.json(presentPage(page, presentAudit));
    },
  });
}

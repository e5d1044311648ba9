import type { Endpoint } from '../../http/define-endpoint.ts';
import { listInvoices } from '../invoices/list-invoices.ts';
import { createPortalSession } from './create-portal-session.ts';

/** What a buyer looks at afterwards. */
export const portalEndpoints: readonly Endpoint[] = [
  createPortalSession, //        POST   /api/v1/portal/create-session
  listInvoices, //               GET    /api/v1/invoices
];

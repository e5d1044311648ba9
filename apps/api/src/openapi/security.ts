import type { AccessKind } from '../http/define-endpoint.ts';
import type { JsonObject } from './json-schema.ts';

/** Which credentials a kind of access takes. */
export const securityOf: Record<AccessKind, JsonObject[]> = {
  project: [{ projectKey: [] }],
  admin: [{ adminSecret: [] }, { consoleSession: [] }],
  stripe: [{ stripeSignature: [] }],
  metrics: [{}, { metricsToken: [] }],
  'queue-screen': [{ operatorLogin: [] }],
  console: [{ consoleSession: [] }],
  'sign-in': [],
  open: [],
};

export const securitySchemes = {
  projectKey: { type: 'http', scheme: 'bearer', description: "A project's API key (`proj_…`)." },
  adminSecret: { type: 'http', scheme: 'bearer', description: 'A secret that `ADMIN_API_KEY` names.' },
  metricsToken: { type: 'http', scheme: 'bearer', description: '`METRICS_TOKEN`, where it is set.' },
  operatorLogin: {
    type: 'http',
    scheme: 'basic',
    description: 'Any name of `ADMIN_API_KEY` without a project, with its secret.',
  },
  consoleSession: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-billing_console',
    description:
      "Of `POST /console/session`, in the console's own pages only: every request has the header `x-console: 1`, and what changes something the `Origin` of this service. In development the name has no prefix.",
  },
  stripeSignature: {
    type: 'apiKey',
    in: 'header',
    name: 'Stripe-Signature',
    description: "Stripe's signature of the exact body.",
  },
  webhookSignature: {
    type: 'apiKey',
    in: 'header',
    name: 'webhook-signature',
    description: "By the endpoint's secret, as Standard Webhooks says; of what is sent to products.",
  },
};

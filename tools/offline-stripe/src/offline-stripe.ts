import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import express, { type Express, type NextFunction, type Request, type Response } from 'express';

import { createAgenda, type Agenda } from './agenda.ts';
import { billingControls } from './controls/billing-controls.ts';
import { createControlRouter } from './controls/control-router.ts';
import { operationControls } from './controls/operation-controls.ts';
import { createDeliverer, type Deliverer, type WebhookTarget } from './events/deliver.ts';
import { createCheckoutPage } from './hosted/checkout-page.ts';
import { createInvoicePage } from './hosted/invoice-page.ts';
import { createPortalPage } from './hosted/portal-page.ts';
import { createApi } from './http/api.ts';
import { createFaults } from './http/faults.ts';
import { createIdempotencyStore } from './http/idempotency.ts';
import { routes } from './http/routes.ts';
import { createStore, type Store } from './state/store.ts';
import { createClock, type Logger, type World } from './world.ts';

export type OfflineStripeOptions = {
  /** Where objects, clock and pending deliveries are kept; null keeps them in memory only. */
  stateDir: string | null;
  /** The webhook receiver; null delivers nothing until the control sets one. */
  webhookUrl: string | null;
  webhookSecret: string;
  /** Where browsers reach the hosted pages, if not at the address it listens on. */
  publicUrl?: string;
  logger?: Logger;
};

export type ListeningStripe = {
  /** e.g. `http://127.0.0.1:12111` */
  url: string;
  port: number;
  close(): Promise<void>;
};

export type OfflineStripe = {
  /** Binds to loopback (port 0: any free one), loads the state and starts delivering. Rejects if the port is taken. */
  listen(port: number, host?: string): Promise<ListeningStripe>;
};

const silent: Logger = { info: () => undefined, warn: () => undefined };

type Parts = {
  store: Store;
  world: World;
  agenda: Agenda;
  deliverer: Deliverer;
  target: WebhookTarget;
};

function buildParts(options: OfflineStripeOptions, publicUrl: string): Parts {
  const target: WebhookTarget = { url: options.webhookUrl, secret: options.webhookSecret };
  const store = createStore(options.stateDir);
  const clock = createClock();
  const world: World = {
    tables: store.tables,
    clock,
    logger: options.logger ?? silent,
    publicUrl: () => publicUrl,
    delivers: () => {
      const { webhooks_enabled: isOn, webhook_drop_ratio: dropRatio } = store.settings();
      return target.url !== null && isOn && Math.random() >= dropRatio;
    },
    rehearse: (run) => store.rehearse(run),
    currentRequest: null,
  };
  clock.setOffset(store.settings().clock_offset_seconds);
  const deliverer = createDeliverer(world, target);
  const agenda = createAgenda(world, () => deliverer.wake());
  store.onTouch((kind, id) => agenda.touch(kind, id));
  return { store, world, agenda, deliverer, target };
}

function createApp({ world, agenda, deliverer, target, store }: Parts): Express {
  const faults = createFaults();
  const afterChange = (): void => {
    agenda.catchUp();
    deliverer.wake();
    // Before the answer: what a caller was told is there again after a kill.
    store.flush();
  };
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/healthz', (_request: Request, response: Response) => response.json({ status: 'healthy' }));
  const controls = [
    ...billingControls(world),
    ...operationControls({ world, agenda, faults, deliverer, target, store }),
  ];
  app.use(createControlRouter(controls, afterChange));
  app.use(createCheckoutPage(world, afterChange));
  app.use(createPortalPage(world, afterChange));
  app.use(createInvoicePage(world, afterChange));
  app.use(createApi({ world, routes, faults, idempotency: createIdempotencyStore(world), afterChange }));
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    world.logger.warn('request_broken', { error: error instanceof Error ? error.message : 'unknown' });
    const status =
      error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : 500;
    response
      .status(status)
      .json({ error: { type: 'invalid_request_error', message: 'The request could not be read.' } });
  });
  return app;
}

function bind(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('not listening on a port'));
      else resolve(address);
    });
  });
}

/** Stripe without an account or a network: the API, hosted pages, webhooks and a clock, on one port. */
export function createOfflineStripe(options: OfflineStripeOptions): OfflineStripe {
  return {
    listen: async (port, host = '127.0.0.1') => {
      const server = createServer();
      server.keepAliveTimeout = 70_000;
      // The port first: it guards the state directory against a second process.
      const address = await bind(server, port, host);
      const url = `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
      const parts = buildParts(options, options.publicUrl ?? url);
      server.on('request', createApp(parts));
      parts.agenda.catchUp();
      parts.deliverer.wake();
      return {
        url,
        port: address.port,
        close: async () => {
          parts.agenda.stop();
          const closed = new Promise<void>((resolve) => {
            server.close(() => resolve());
          });
          server.closeAllConnections();
          await parts.deliverer.stop();
          await closed;
          parts.store.flush();
        },
      };
    },
  };
}

import { randomBytes } from 'node:crypto';
import { waitFor } from '@billing/testing';
import { z } from 'zod';
import type { BenchEnvironment } from '../../environment/set-up.ts';
import type { Running } from '../../environment/start-process.ts';
import { createAdminClient } from '../../load/admin-client.ts';
import { startReceiver } from './receiver.ts';
import type { Receiver } from './receiver.ts';

/** The seeded project, which tells a receiver in this process, and the API and the worker that do it. */
export type WebhookShop = {
  projectId: string;
  api: Running;
  worker: Running;
  receiver: Receiver;
  /** Returns the endpoint's id. */
  makeEndpoint: () => Promise<string>;
  deleteEndpoint: (endpointId: string) => Promise<void>;
  stop: () => Promise<void>;
};

const endpointOut = z.object({ endpoint_id: z.string() });

export async function setUpWebhooks(environment: BenchEnvironment): Promise<WebhookShop> {
  const {
    database,
    seeded: { projectId },
  } = environment;
  const adminSecret = randomBytes(16).toString('hex');
  const env = {
    ADMIN_API_KEY: `bench:${adminSecret}`,
    WEBHOOK_SECRET_KEY: randomBytes(32).toString('base64'),
    WEBHOOK_ALLOW_HTTP: 'true',
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
  };
  const [api, worker] = await Promise.all([environment.startApi(env), environment.startWorker(env)]);
  const receiver = await startReceiver();
  const admin = createAdminClient(api.url, adminSecret);
  const endpoints = `/projects/${projectId}/webhook-endpoints`;

  async function isBaseLineRead(): Promise<boolean> {
    const found = await database.query('SELECT FROM public.webhook_fan_outs WHERE project_id = $1', [
      projectId,
    ]);
    return found.rowCount === 0;
  }

  return {
    projectId,
    api,
    worker,
    receiver,
    makeEndpoint: async () => {
      const url = receiver.urlOf(randomBytes(4).toString('hex'));
      const { endpoint_id: id } = endpointOut.parse(
        await admin.call('POST', endpoints, {
          url,
          delivery: 'every',
          event_types: ['entitlements.changed'],
        }),
      );
      await waitFor(isBaseLineRead, { timeoutMs: 60_000, what: 'the base line' });
      return id;
    },
    deleteEndpoint: async (endpointId) => void (await admin.call('DELETE', `${endpoints}/${endpointId}`)),
    stop: async () => {
      admin.close();
      receiver.close();
      await Promise.all([api.stop(), worker.stop()]);
    },
  };
}

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createWebhookSecrets } from '@billing/platform';
import { waitFor } from '@billing/testing';
import { startTestWorker, uniqueId } from './start-test-worker.test-support.ts';

export const newWebhookKey = (): string => randomBytes(32).toString('base64');

/** What came to the receiver, in the order of its end. */
export type Arrival = {
  /** The last part of the endpoint's path. */
  at: string;
  id: string;
  type: string;
  userId: string | null;
  version: number;
  headers: IncomingMessage['headers'];
  body: string;
  startedAt: number;
  /** What was answered; null: nothing. */
  status: number | null;
  /** Requests of this user at this endpoint, and of this endpoint, that were under way when it came. */
  ofUser: number;
  ofEndpoint: number;
};

export type Answer = { status: number | null; delayMs?: number; headers?: Record<string, string> };
type Behaviour = (arrival: Arrival) => Answer;

/** A receiver of webhooks on this machine, which answers each path as a test says (default: 204 at once). */
export async function startReceiver() {
  const arrivals: Arrival[] = [];
  const behaviours = new Map<string, Behaviour>();
  const underWay: Arrival[] = [];

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const at = request.url?.split('/').at(-1) ?? '';
    const { type, data } = JSON.parse(body);
    const arrival: Arrival = {
      at,
      id: String(request.headers['webhook-id']),
      type,
      userId: data.user_id ?? null,
      version: data.version,
      headers: request.headers,
      body,
      startedAt,
      status: null,
      ofUser: underWay.filter((one) => one.at === at && one.userId === (data.user_id ?? null)).length,
      ofEndpoint: underWay.filter((one) => one.at === at).length,
    };
    underWay.push(arrival);
    const { status, delayMs = 0, headers = {} } = behaviours.get(at)?.(arrival) ?? { status: 204 };
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    arrival.status = status;
    arrivals.push(arrival);
    if (status === null)
      return void response.on('close', () => underWay.splice(underWay.indexOf(arrival), 1));
    underWay.splice(underWay.indexOf(arrival), 1);
    response.writeHead(status, headers).end();
  }
  const server = createServer(
    (request, response) => void take(request, response).catch(() => response.destroy()),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    arrivals,
    urlOf: (path: string): string => `http://127.0.0.1:${port}/hooks/${path}`,
    answer: (path: string, behaviour: Behaviour): void => void behaviours.set(path, behaviour),
    at: (path: string): Arrival[] => arrivals.filter((one) => one.at === path),
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type NewEndpoint = { delivery?: 'latest' | 'every'; url?: string; keyId?: string };
export type NewMessage = { userId?: string | null; version?: number; type?: string; full?: string };

/** A worker that delivers to a receiver of the test's own. What is to be told is written as the emitter does. */
export async function startWebhookWorld({
  env = {},
  isStarted = true,
}: { env?: Record<string, string>; isStarted?: boolean } = {}) {
  const key = newWebhookKey();
  const receiver = await startReceiver();
  const world = await startTestWorker({
    isStarted,
    env: {
      WEBHOOK_SECRET_KEY: key,
      WEBHOOK_ALLOW_HTTP: 'true',
      WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      ...env,
    },
  });
  const { database } = world;
  const secrets = createWebhookSecrets([key]);
  const [firstKeyId = ''] = secrets.keyIds;

  /** An endpoint of `shop` whose path is its id. */
  async function makeEndpoint({
    delivery = 'latest',
    url,
    keyId = firstKeyId,
  }: NewEndpoint = {}): Promise<string> {
    const id = uniqueId('whe');
    await database.webhookEndpoint.create({
      data: {
        id,
        projectId: 'shop',
        url: url ?? receiver.urlOf(id),
        eventTypes: ['*'],
        payload: 'full',
        delivery,
        keyId,
      },
    });
    return id;
  }

  async function tell(
    endpointIds: readonly string[],
    { userId = 'ann', version = 1, type = 'entitlements.changed', full }: NewMessage = {},
  ): Promise<string> {
    const id = uniqueId('msg');
    const data = { project_id: 'shop', user_id: userId, version };
    await database.$transaction(async (tx) => {
      await tx.webhookMessage.create({
        data: {
          id,
          projectId: 'shop',
          userId,
          type,
          version,
          full: full ?? JSON.stringify({ type, timestamp: new Date().toISOString(), data }),
        },
      });
      const latest = await tx.webhookEndpoint.findMany({
        where: { id: { in: [...endpointIds] }, delivery: 'latest' },
      });
      if (!type.startsWith('usage.'))
        await tx.webhookDelivery.updateMany({
          where: {
            endpointId: { in: latest.map((one) => one.id) },
            userId,
            type,
            status: 'pending',
            resend: 0,
          },
          data: { status: 'superseded', nextTryAt: null },
        });
      await tx.webhookDelivery.createMany({
        data: endpointIds.map((endpointId) => ({
          messageId: id,
          endpointId,
          projectId: 'shop',
          userId,
          type,
          version,
          form: 'full',
          nextTryAt: new Date(),
        })),
      });
    });
    return id;
  }

  const deliveriesOf = (messageId: string) =>
    database.webhookDelivery.findMany({ where: { messageId }, orderBy: { id: 'asc' } });

  return {
    ...world,
    key,
    secrets,
    receiver,
    makeEndpoint,
    tell,
    deliveriesOf,
    attemptsOf: (messageId: string) =>
      database.webhookAttempt.findMany({ where: { messageId }, orderBy: { id: 'asc' } }),
    endpoint: (id: string) => database.webhookEndpoint.findUniqueOrThrow({ where: { id } }),
    /** Waits until no delivery of the endpoint is pending or under way. */
    untilDone: (endpointId: string, timeoutMs = 20_000): Promise<unknown> =>
      waitFor(
        async () =>
          (await database.webhookDelivery.count({
            where: { endpointId, OR: [{ status: 'pending' }, { claimedUntil: { not: null } }] },
          })) === 0,
        { what: 'the deliveries', timeoutMs },
      ),
    close: async (): Promise<void> => {
      await world.close();
      await receiver.close();
    },
  };
}

export type WebhookWorld = Awaited<ReturnType<typeof startWebhookWorld>>;

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isBillingError, verifyWebhook } from '@billing/client';
import type { WebhookMessage } from '@billing/client';

export type Received = { message: WebhookMessage; messageId: string; isResend: boolean };

type ReceiverOptions = {
  /** Port 0: a free one. */
  port: number;
  /** Undefined while there is none yet: then nothing is accepted. */
  secret: () => string | undefined;
  onMessage: (received: Received) => void;
  onRefused: (reason: string) => void;
};

const mostBytes = 1024 * 1024;

/** The body as it came; null: it is longer than any message. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > mostBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const idOf = ({ 'webhook-id': id }: IncomingHttpHeaders): string => (typeof id === 'string' ? id : '');

/** A webhook endpoint as a product has one, on this machine alone: 204 to what is verified, 400 to all else. */
export async function startReceiver({ port, secret, onMessage, onRefused }: ReceiverOptions) {
  async function receive(request: IncomingMessage): Promise<number> {
    const body = await readBody(request);
    const key = secret();
    if (request.method !== 'POST' || body === null || key === undefined) return 400;
    try {
      const message = verifyWebhook(body, request.headers, key);
      const isResend = request.headers['webhook-resend'] === 'true';
      onMessage({ message, messageId: idOf(request.headers), isResend });
      return 204;
    } catch (error) {
      if (!isBillingError(error)) throw error;
      onRefused(error.detail);
      return 400;
    }
  }
  const server = createServer((request, response) => {
    receive(request)
      .catch(() => 500)
      .then((status) => response.writeHead(status).end())
      .catch(() => response.destroy());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const usedPort = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${usedPort}/`,
    stop: async (): Promise<void> => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

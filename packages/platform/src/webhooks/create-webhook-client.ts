import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { checkWebhookUrl, guardedLookup, hostOf, readWebhookUrl } from './check-webhook-url.ts';
import type { WebhookGuard } from './check-webhook-url.ts';
import { codeOf, webhookErrorWord } from './error-word.ts';
import { openTunnel } from './open-tunnel.ts';
import { readAnswer } from './read-answer.ts';
import type { Answer } from './read-answer.ts';
import { signWebhook } from './sign-webhook.ts';

/** Of `WEBHOOK_…`. */
export type WebhookSettings = WebhookGuard & {
  /** In base64; empty: webhooks are not configured. */
  keys: readonly string[];
  /** For one try, from the look-up of the name to the end of the answer. */
  timeoutMs: number;
};

export type WebhookPost = {
  url: string;
  messageId: string;
  body: string;
  /** Each signs. */
  secrets: readonly string[];
  isResend?: boolean;
};

/** What became of a try. */
export type WebhookAttempt = {
  at: Date;
  /** Null: no answer; then `error` says why. */
  status: number | null;
  durationMs: number;
  error: string | null;
  /** The first 512 bytes of the answer; null: no answer. */
  response: string | null;
  /** The header of this name. */
  retryAfter: string | null;
};

export type WebhookClient = {
  /** Throws UrlNotAllowed: such a URL must not be saved. */
  checkUrl: (url: string) => Promise<void>;
  /** Sends a message once. Rejects never. */
  post: (message: WebhookPost) => Promise<WebhookAttempt>;
  /** Ends connections that wait for further use. */
  close: () => void;
};

/** Shorter than Node's servers keep a connection that is not used. */
const idleMs = 4_000;

const agents = (guard: WebhookGuard, keepAlive: boolean) => {
  const lookup = guardedLookup(guard);
  // The look-up answers with all addresses, which are tried one after the other.
  const options = { keepAlive, lookup, autoSelectFamily: true, timeout: idleMs };
  return { 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) };
};

type Connections = ReturnType<typeof agents>;

type Sending = { url: URL; headers: Record<string, string | number>; body: string; signal: AbortSignal };

/** The connection is one that the other side closed while it was not used: nothing was sent of it. */
const isStale = (asked: ClientRequest, error: unknown): boolean =>
  asked.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(codeOf(error));

/** Sends messages to URLs that may be called, and to no other. Sending knows nothing of what is in a message. */
export function createWebhookClient(settings: WebhookSettings): WebhookClient {
  const kept = agents(settings, true);
  const fresh = agents(settings, false);

  async function connectionOf({ url, signal }: Sending, connections: Connections): Promise<RequestOptions> {
    if (settings.proxy === undefined)
      return { agent: url.protocol === 'https:' ? connections['https:'] : connections['http:'] };
    const socket = await openTunnel({ proxy: settings.proxy, url, signal });
    return { createConnection: () => socket };
  }

  async function send(sending: Sending, connections: Connections): Promise<Answer> {
    const { url, headers, body, signal } = sending;
    const asked = (url.protocol === 'https:' ? httpsRequest : httpRequest)({
      ...(await connectionOf(sending, connections)),
      host: hostOf(url),
      port: url.port,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      headers,
      signal,
    });
    try {
      const answer = readAnswer(asked);
      asked.end(body);
      return await answer;
    } catch (error) {
      if (connections === kept && isStale(asked, error)) return send(sending, fresh);
      throw error;
    }
  }

  return {
    checkUrl: (url) => checkWebhookUrl(url, settings),
    close: () => {
      for (const agent of Object.values(kept)) agent.destroy();
    },
    post: async ({ url, messageId, body, secrets, isResend = false }) => {
      const at = new Date();
      const startedAt = performance.now();
      const took = (): number => Math.round(performance.now() - startedAt);
      try {
        const headers = {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'billing-entitlements-webhooks',
          ...signWebhook({ id: messageId, body, at, secrets }),
          ...(isResend ? { 'webhook-resend': 'true' } : {}),
        };
        const signal = AbortSignal.timeout(settings.timeoutMs);
        const answer = await send({ url: readWebhookUrl(url, settings), headers, body, signal }, kept);
        return { at, ...answer, durationMs: took(), error: null };
      } catch (error) {
        return {
          at,
          status: null,
          durationMs: took(),
          error: webhookErrorWord(error),
          response: null,
          retryAfter: null,
        };
      }
    },
  };
}

import { Agent, createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';

export type ProbingBalancer = { url: string; close: () => Promise<void> };

const probeEveryMs = 2_000;
/** Refused probes in a row, until a target gets no requests. */
const unhealthyAfter = 2;

type Target = { url: string; agent: Agent; refusals: number };

async function probe(target: Target): Promise<void> {
  const isReady = await fetch(`${target.url}/ready`, { signal: AbortSignal.timeout(1_000) })
    .then(async (response) => {
      await response.text();
      return response.ok;
    })
    .catch(() => false);
  target.refusals = isReady ? 0 : target.refusals + 1;
}

/** Passes a request on, once: where the target fails, so does the request (502). */
function passOn(target: Target, incoming: IncomingMessage, answer: ServerResponse): void {
  const fail = (error: Error): void => {
    if (answer.headersSent) answer.destroy();
    else answer.writeHead(502).end('code' in error ? String(error.code) : error.message);
  };
  const { method, headers, url = '/' } = incoming;
  const call = request(`${target.url}${url}`, { method, headers, agent: target.agent }, (response) => {
    response.on('error', fail);
    answer.writeHead(response.statusCode ?? 502, { 'content-type': response.headers['content-type'] ?? '' });
    response.pipe(answer);
  });
  call.on('error', fail);
  incoming.pipe(call);
}

/**
 * A load balancer of the plainest kind: it learns how its targets are from probes alone, every 2 s, and never sends a
 * request again. Requests go to the healthy targets in turn, over connections that are kept.
 */
export async function startProbingBalancer(urls: readonly string[]): Promise<ProbingBalancer> {
  const targets = urls.map((url): Target => ({ url, agent: new Agent({ keepAlive: true }), refusals: 0 }));
  let turn = 0;
  const server = createServer((incoming, answer) => {
    const healthy = targets.filter(({ refusals }) => refusals < unhealthyAfter);
    const target = healthy[turn % healthy.length];
    turn += 1;
    if (target === undefined) answer.writeHead(502).end('no healthy target');
    else passOn(target, incoming, answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const probing = setInterval(() => targets.forEach((target) => void probe(target)), probeEveryMs);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      clearInterval(probing);
      for (const { agent } of targets) agent.destroy();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

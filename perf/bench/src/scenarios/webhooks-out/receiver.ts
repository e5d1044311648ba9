import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { freePort } from '@billing/testing';

/** A message that came; `at` on the clock of `performance.now()`. */
export type Arrival = { at: number; body: string };

/** A product that answers at once, and verifies nothing: what is measured is the sender. */
export type Receiver = {
  urlOf: (path: string) => string;
  arrivals: Arrival[];
  close: () => void;
};

async function read(request: IncomingMessage): Promise<Arrival> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return { at: performance.now(), body: Buffer.concat(chunks).toString() };
}

/** `keep`: what is kept of a body; default: all. */
export async function startReceiver(keep = (body: string): string => body): Promise<Receiver> {
  const arrivals: Arrival[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const { at, body } = await read(request);
      arrivals.push({ at, body: keep(body) });
      response.writeHead(204).end();
    })().catch(() => response.destroy());
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    urlOf: (path) => `http://127.0.0.1:${port}/${path}`,
    arrivals,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

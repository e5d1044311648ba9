import { once } from 'node:events';
import express from 'express';
import { waitFor } from '@billing/testing';
import { closeGracefully, createApiServer } from './api-server.ts';

async function listen(app: express.Express) {
  const server = createApiServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { server, url: `http://127.0.0.1:${port}` };
}

describe('the HTTP server', () => {
  it('gives requests and responses the prototypes that Express wants, so that it never changes them', async () => {
    const app = express();
    const seen: boolean[] = [];
    const { server, url } = await listen(app);
    // Before Express touches them.
    server.prependListener('request', (request, response) => {
      seen.push(
        Object.getPrototypeOf(request) === app.request,
        Object.getPrototypeOf(response) === app.response,
      );
    });
    app.get('/', (request, response) => {
      seen.push(request.app === app, response.app === app);
      response.json({ path: request.path, host: request.hostname });
    });
    const response = await fetch(url);
    expect(await response.json()).toEqual({ path: '/', host: '127.0.0.1' });
    expect(seen).toEqual([true, true, true, true]);
    await closeGracefully(server, 0);
  });

  it('keeps two apps in one process apart', async () => {
    const [first, second] = [express(), express()];
    first.get('/', (request, response) => void response.json(request.app === first));
    second.get('/', (request, response) => void response.json(request.app === second));
    const servers = await Promise.all([listen(first), listen(second)]);
    for (const { url } of servers) expect(await (await fetch(url)).json()).toBe(true);
    await Promise.all(servers.map(({ server }) => closeGracefully(server, 0)));
  });

  it('keeps connections longer than load balancers do', () => {
    expect(createApiServer(express()).keepAliveTimeout).toBeGreaterThanOrEqual(65_000);
  });

  it('finishes requests in flight before it closes, and takes no new ones', async () => {
    const app = express();
    let finish: (() => void) | undefined;
    app.get('/slow', (_request, response) => {
      finish = () => void response.json('done');
    });
    const { server, url } = await listen(app);
    const begun = once(server, 'request');
    const slow = fetch(`${url}/slow`);
    await begun;
    const closed = closeGracefully(server, 0);
    await waitFor(() => !server.listening, { what: 'the server to stop listening' });
    await expect(fetch(url)).rejects.toThrow('fetch failed');
    finish?.();
    expect(await (await slow).json()).toBe('done');
    await closed;
  });
});

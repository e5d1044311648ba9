import { createServer } from 'node:http';

type Rendered = Record<string, unknown>;

/**
 * A proxy before the offline Stripe that renders objects otherwise: `change` gets each object that is read by its path,
 * and the paths that the request expands.
 */
export async function startRenderingFront() {
  let target = '';
  let change: (object: Rendered, asked: { path: string; expanded: string[] }) => Rendered = (object) =>
    object;
  const reads: string[] = [];
  const server = createServer((request, response) => {
    const pass = async (): Promise<void> => {
      const url = new URL(request.url ?? '/', target);
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const { authorization = '', 'content-type': type = 'text/plain' } = request.headers;
      const answer = await fetch(url, {
        method: request.method ?? 'GET',
        headers: { authorization, 'content-type': type },
        ...(body === '' ? {} : { body }),
      });
      const object: Rendered = JSON.parse(await answer.text());
      const expanded = [...url.searchParams]
        .filter(([name]) => name.startsWith('expand'))
        .map(([, path]) => path);
      if (request.method === 'GET') reads.push(url.pathname);
      const changed = answer.ok ? change(object, { path: url.pathname, expanded }) : object;
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(changed));
    };
    pass().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the front has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    /** The paths of all that was read, in order. */
    reads,
    leadTo: (url: string): void => {
      target = url;
    },
    render: (next: typeof change): void => {
      change = next;
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

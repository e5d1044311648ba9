import { createServer } from 'node:net';
import { once } from 'node:events';
import { freePort, keepPort } from './ports.ts';

test('a port of before is kept while it is free', async () => {
  const before = await freePort();
  expect(await keepPort(before)).toBe(before);
});

test('a port of before that is in use is replaced', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const before = typeof address === 'object' && address !== null ? address.port : 0;
  expect(await keepPort(before)).not.toBe(before);
  server.close();
});

test('two servers never get one port, also where they had the same before', async () => {
  const before = await freePort();
  expect(await keepPort(before, [before])).not.toBe(before);
});

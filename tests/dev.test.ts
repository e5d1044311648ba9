import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyCheckout, freePorts, isAlive, waitFor } from '@billing/testing';
import type { Checkout } from '@billing/testing';

let checkout: Checkout;
beforeAll(() => {
  checkout = copyCheckout();
});
afterEach(() => checkout.stopAll(), 60_000);
afterAll(() => checkout.remove());

test('runs everything from source, restarts what imports a changed file, and survives a mistake', async () => {
  const dev = await checkout.start(await freePorts(), 'source');
  const untilShown = (line: RegExp): Promise<true> =>
    waitFor(() => line.test(dev.output()), { what: `${line} in the output`, timeoutMs: 60_000 });
  const countOf = (line: RegExp): number => [...dev.output().matchAll(new RegExp(line, 'gm'))].length;
  const append = (path: string, text: string): void => {
    const file = join(checkout.folder, path);
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n${text}\n`);
  };
  await untilShown(/^Ready in/m);
  const { pids, console_url: pages, admin_api_key: secret } = checkout.stack();
  // A sign-in counts only from a page of the service's own: the console's server passes on who asks.
  const { origin } = new URL(pages);
  const signedIn = await fetch(new URL('session', pages), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-console': '1', origin },
    body: JSON.stringify({ name: 'local', secret }),
  });
  expect(signedIn.status).toBe(201);
  expect(countOf(/^api +\d\d:\d\d:\d\d INFO +listening port=/)).toBe(1);

  append('packages/domain/src/index.ts', `console.log('edited domain');`);
  for (const name of ['api', 'worker']) await untilShown(new RegExp(`^${name} +edited domain$`, 'm'));
  await dev.untilReady();

  const source = join(checkout.folder, 'apps/worker/src/main.ts');
  const right = readFileSync(source, 'utf8');
  append('apps/worker/src/main.ts', 'const = 1;');
  await untilShown(/^worker +Ended with an error\. Waiting for the next change of a file\.$/m);
  writeFileSync(source, `${right}\nconsole.log('edited worker');\n`);
  await untilShown(/^worker +edited worker$/m);
  expect(countOf(/^api +A file changed: restarting\.$/)).toBe(1);

  // The watchers stay; they restart what they watch.
  expect(checkout.stack().pids).toEqual(pids);
  expect(await dev.kill('SIGINT')).toBe(0);
  expect(Object.values(pids).filter(isAlive)).toEqual([]);
  expect(checkout.hasStackFile()).toBe(false);
}, 240_000);

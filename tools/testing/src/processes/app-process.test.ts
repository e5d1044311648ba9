import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAppProcess } from './app-process.ts';
import type { AppProcess } from './app-process.ts';
import { freePort } from './ports.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'app-process-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function start(source: string): Promise<{ app: AppProcess; port: number }> {
  const port = await freePort();
  const script = join(folder, 'main.cjs');
  writeFileSync(script, source.replaceAll('PORT', String(port)));
  const env = { PATH: process.env['PATH'] };
  const app = createAppProcess({ name: 'api', script, env, readyUrl: `http://127.0.0.1:${port}/ready` });
  await app.start();
  return { app, port };
}

test.each([
  [
    'the settings that are bad',
    `console.error("The configuration can't be used. Set in the environment:\\n  LOG_LEVEL: expected one\\n  X_Y: expected two")`,
    "The configuration can't be used. Set in the environment: LOG_LEVEL: expected one; X_Y: expected two",
  ],
  ['its error', `console.log('one'); console.log('Error: two'); console.log('three')`, 'Error: two'],
  ['its last word', `console.log('one'); console.log('two'); process.exit(1)`, 'two'],
  ['nothing, where it said nothing', `process.exit(1)`, 'it wrote nothing'],
])('a process that ends too early is told with %s', async (_what, source, reason) => {
  const { app } = await start(source);
  await expect(app.untilReady()).rejects.toThrow(`The api process ended before it was ready (${reason}).`);
});

test('one that is not ready in time is told with what it lacks', async () => {
  const { app } = await start(`
    require('http').createServer((request, response) => {
      response.statusCode = 503;
      response.end(JSON.stringify({ status: 'not ready', checks: { database: 'ok', redis: 'unreachable' } }));
    }).listen(PORT);`);
  await expect(app.untilReady(1_000)).rejects.toThrow(
    'The api process was not ready within 1 s (redis: unreachable).',
  );
  await app.stop();
});

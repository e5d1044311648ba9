import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createOfflineStripe } from '@billing/offline-stripe';
import { freePort, waitFor } from '@billing/testing';
import type { Check } from './check.ts';
import { buildFromGo, findProgram, root, runTool } from './run-tool.ts';

const mock = { name: 'stripe-mock', version: 'v0.203.0', module: 'github.com/stripe/stripe-mock' };

/** Stripe's OpenAPI document, as stripe-mock carries it. */
async function findDocument(program: string): Promise<string> {
  const found = await findProgram('go');
  if ('missing' in found) throw new Error(found.missing);
  const go = join(found.folder, 'go');
  const listed = await runTool(go, ['list', '-m', '-f', '{{.Dir}}', mock.module], { cwd: dirname(program) });
  return join(listed.stdout.trim(), 'embedded/openapi/spec3.json');
}

/** Starts Stripe's own mock, which refuses parameters that Stripe does not know; returns its port and how to end it. */
async function startMock(program: string): Promise<{ port: number; stop: () => void }> {
  const port = await freePort();
  const running = spawn(program, ['-http-port', String(port)], { stdio: 'ignore' });
  const answers = async (): Promise<boolean> => {
    const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    return response !== undefined;
  };
  await waitFor(answers, { what: 'stripe-mock', timeoutMs: 30_000, intervalMs: 100 });
  return { port, stop: () => void running.kill() };
}

/** The offline Stripe takes the requests that Stripe takes, and answers with objects that fit Stripe's document. */
export const stripeMock: Check = {
  name: 'stripe-mock',
  source: 'go',
  needs: ['go'],
  run: async () => {
    const { name, version, module } = mock;
    const program = await buildFromGo({ name, version, package: module });
    const document = await findDocument(program);
    const offline = await createOfflineStripe({
      stateDir: null,
      webhookUrl: null,
      webhookSecret: 'whsec_of_the_check',
    }).listen(0);
    const { port, stop } = await startMock(program);
    try {
      const script = join(root, 'tools/offline-stripe/conformance/check.mjs');
      const args = [script, String(offline.port), String(port), document];
      const { stdout } = await runTool(process.execPath, args, { timeoutMs: 120_000 });
      return stdout.trim().split('\n').at(-1) ?? '';
    } finally {
      stop();
      await offline.close();
    }
  },
};

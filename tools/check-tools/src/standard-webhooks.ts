import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort } from '@billing/testing';
import { z } from 'zod';
import type { Check, System } from './check.ts';
import { findProgram, root, runTool } from './run-tool.ts';

const version = { python: '1.1.0', go: 'v0.0.1' };
const goModule = 'github.com/standard-webhooks/standard-webhooks/libraries';

/** A message as a receiver gets it, and a secret that it is signed by. */
type Received = { secret: string; body: string; headers: Record<string, string> };

const sentHeaders = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];

/** What a new endpoint gets when it is pinged, before its secret is rotated and after: then both secrets sign. */
async function receivePings({ stack }: System): Promise<Received[]> {
  const arrived: Omit<Received, 'secret'>[] = [];
  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers = Object.fromEntries(sentHeaders.map((name) => [name, String(request.headers[name])]));
    arrived.push({ body: await text(request), headers });
    response.writeHead(204).end();
  }
  const port = await freePort();
  const receiver = createServer((request, response) => void receive(request, response));
  await once(receiver.listen(port, '127.0.0.1'), 'listening');

  const endpoints = `${stack.api_url}/api/v1/admin/projects/${stack.project_id}/webhook-endpoints`;
  async function call<T>(method: string, path: string, { body, answer }: Call<T>): Promise<T> {
    const response = await fetch(`${endpoints}${path}`, {
      method,
      headers: { authorization: `Bearer ${stack.admin_api_key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return answer.parse(await response.json());
  }

  try {
    const url = `http://127.0.0.1:${port}/`;
    const made = await call('POST', '', { body: { url }, answer: created });
    const path = `/${made.endpoint_id}`;
    await call('POST', `${path}/ping`, { body: {}, answer: pinged });
    const rotated = await call('POST', `${path}/rotate-secret`, {
      body: { overlap_hours: 1 },
      answer: created,
    });
    await call('POST', `${path}/ping`, { body: {}, answer: pinged });
    await call('PATCH', path, { body: { is_enabled: false }, answer: z.unknown() });
    const [first, second] = arrived;
    if (first === undefined || second === undefined) throw new Error('A ping did not arrive.');
    return [
      { ...first, secret: made.secret },
      { ...second, secret: made.secret },
      { ...second, secret: rotated.secret },
    ];
  } finally {
    receiver.close();
  }
}

type Call<T> = { body: object; answer: z.ZodType<T> };
const created = z.object({ endpoint_id: z.string(), secret: z.string() });
const pinged = z.object({ status: z.literal(204) });

const helper = (name: string): string => join(root, 'tools/check-tools', name);

/** The package of PyPI verifies what the service sends, and nothing that was changed. */
const python: Check = {
  name: 'standardwebhooks, Python',
  source: 'python',
  needs: ['python3'],
  run: async (system) => {
    const found = await findProgram('python3');
    if ('missing' in found) throw new Error(found.missing);
    const folder = join(root, '.local/check-tools', `standardwebhooks-${version.python}`);
    await runTool(join(found.folder, 'python3'), ['-m', 'venv', folder]);
    const pip = ['install', '--quiet', '--disable-pip-version-check', `standardwebhooks==${version.python}`];
    await runTool(join(folder, 'bin/pip'), pip);
    const input = JSON.stringify(await receivePings(system));
    const { stdout } = await runTool(join(folder, 'bin/python'), [helper('verify_webhooks.py')], { input });
    return stdout.trim();
  },
};

/** The module of Standard Webhooks for Go does, too. */
const go: Check = {
  name: 'standardwebhooks, Go',
  source: 'go',
  needs: ['go'],
  run: async (system) => {
    const found = await findProgram('go');
    if ('missing' in found) throw new Error(found.missing);
    const folder = join(root, '.local/check-tools', `standardwebhooks-go-${version.go}`);
    const program = join(found.folder, 'go');
    if (!existsSync(join(folder, 'go.mod'))) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'go.mod'), 'module local/verify\n');
    }
    copyFileSync(helper('verify_webhooks.go'), join(folder, 'main.go'));
    await runTool(program, ['get', `${goModule}@${version.go}`], { cwd: folder });
    const input = JSON.stringify(await receivePings(system));
    const { stdout } = await runTool(program, ['run', '.'], { cwd: folder, input });
    return stdout.trim();
  },
};

export const standardWebhooks = [python, go];

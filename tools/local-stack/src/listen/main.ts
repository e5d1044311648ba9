import { parseArgs } from 'node:util';
import { readJsonFile } from '@billing/platform';
import { z } from 'zod';
import { paths } from '../paths.ts';
import { renderMessage } from './render-message.ts';
import { startReceiver } from './start-receiver.ts';

const description = 'npm run listen';
const stackFile = z.object({ api_url: z.string(), admin_api_key: z.string(), project_id: z.string() });

const { values: options } = parseArgs({
  options: {
    project: { type: 'string' },
    port: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const stack = readJsonFile(paths.stack, stackFile);
  if (stack === undefined) throw new Error('Run `npm start` in another terminal first.');
  const project = options.project ?? stack.project_id;
  const endpoints = `${stack.api_url}/api/v1/admin/projects/${encodeURIComponent(project)}/webhook-endpoints`;

  async function call<T>(method: string, address: string, { body, schema }: Asked<T>): Promise<T> {
    const response = await fetch(address, {
      method,
      headers: { authorization: `Bearer ${stack?.admin_api_key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok)
      throw new Error(problem.safeParse(answer).data?.detail ?? `${address} answered ${response.status}.`);
    return schema.parse(answer);
  }

  // What an earlier one left that was killed.
  const { data: known } = await call('GET', endpoints, { schema: listed });
  for (const one of known)
    if (one.description === description)
      await call('DELETE', `${endpoints}/${one.endpoint_id}`, { schema: z.unknown() });

  let secret: string | undefined;
  const receiver = await startReceiver({
    port: Number(options.port),
    secret: () => secret,
    onMessage: (received) =>
      console.log(options.json ? JSON.stringify(received.message) : renderMessage(received)),
    onRefused: (reason) => console.error(`Refused: ${reason}`),
  });
  const made = await call('POST', endpoints, { body: { url: receiver.url, description }, schema: created });
  secret = made.secret;
  console.error(`Verifies and prints what the project ${project} is told, at ${receiver.url}. Ctrl-C ends.`);

  let isEnding = false;
  const end = async (): Promise<void> => {
    if (isEnding) return;
    isEnding = true;
    await call('DELETE', `${endpoints}/${made.endpoint_id}`, { schema: z.unknown() }).catch(() => undefined);
    await receiver.stop();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end());
}

type Asked<T> = { body?: object; schema: z.ZodType<T> };
const problem = z.object({ detail: z.string() });
const created = z.object({ endpoint_id: z.string(), secret: z.string() });
const listed = z.object({
  data: z.array(z.object({ endpoint_id: z.string(), description: z.string().nullable() })),
});

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createAppProcess } from '@billing/testing';
import type { AppProcess } from '@billing/testing';
import { z } from 'zod';

const program = fileURLToPath(new URL('../../.ci/buildah', import.meta.url));

/** Runs buildah; returns what it prints. */
export async function buildah(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

const inspected = z.object({
  OCIv1: z.object({
    config: z.object({ Cmd: z.array(z.string()), User: z.string(), Env: z.array(z.string()) }),
  }),
});

/** What an image says of itself. */
export const configOf = async (image: string): Promise<z.output<typeof inspected>['OCIv1']['config']> =>
  inspected.parse(JSON.parse(await buildah('inspect', '--type', 'image', image))).OCIv1.config;

/** Runs a command in a container of an image, as the image's user. */
export async function runIn(image: string, command: readonly string[]): Promise<string> {
  const container = await buildah('from', '--pull-never', image);
  try {
    return await buildah('run', container, '--', ...command);
  } finally {
    await buildah('rm', container);
  }
}

/** Starts an app from its image, by the image's own command and with its own variables, in the network of this machine. */
export async function spawnImage(app: 'api' | 'worker', env: Record<string, string>): Promise<AppProcess> {
  const image = `localhost/billing-${app}`;
  const { Cmd } = await configOf(image);
  const container = await buildah('from', '--pull-never', image);
  const variables = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const port = app === 'api' ? env['PORT'] : env['WORKER_PORT'];
  const started = createAppProcess({
    name: `image of ${app}`,
    node: program,
    nodeArguments: ['run', ...variables, container, '--', ...Cmd],
    // One more argument of the image's `sh -c`, which makes it its name.
    script: `/${app}`,
    env: process.env,
    readyUrl: `http://127.0.0.1:${port}/ready`,
  });
  await started.start();
  return started;
}

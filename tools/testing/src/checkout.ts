import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kill } from 'node:process';
import { fileURLToPath } from 'node:url';
import { createAppProcess } from './processes/app-process.ts';
import type { AppProcess } from './processes/app-process.ts';
import { freePort } from './processes/ports.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export type StackFile = {
  api_url: string;
  console_url: string;
  worker_url: string;
  stripe_url: string;
  project_id: string;
  api_key: string;
  admin_api_key: string;
  prices: { subscription: string; payment: string };
  pids: Record<'api' | 'worker' | 'stripe' | 'postgres' | 'redis', number>;
};

export type Checkout = {
  folder: string;
  /** Does what `npm start` (from the build) or `npm run dev` (from source) does here. */
  start: (env: Record<string, string>, from?: 'build' | 'source') => Promise<AppProcess>;
  hasStackFile: () => boolean;
  stack: () => StackFile;
  /** Stops what was started here. */
  stopAll: () => Promise<void>;
  remove: () => void;
};

/** Copies this checkout, sources and build, so that a start has a `.local` of its own and files can be edited. */
export function copyCheckout(): Checkout {
  const folder = mkdtempSync(join(tmpdir(), 'checkout-'));
  for (const part of ['apps', 'packages', 'tools', 'prisma', 'package.json', 'node_modules/@billing'])
    cpSync(join(root, part), join(folder, part), { recursive: true, verbatimSymlinks: true });
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== '@billing')
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  const stackPath = join(folder, '.local/stack.json');
  const running: AppProcess[] = [];
  return {
    folder,
    start: async (env, from = 'build') => {
      const started = createAppProcess({
        name: 'npm start',
        script: `tools/local-stack/${from === 'build' ? 'dist/main.js' : 'src/main.ts'}`,
        nodeArguments: from === 'build' ? [] : ['--conditions=@billing/source', '--import=tsx'],
        cwd: folder,
        env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
        readyUrl: `http://127.0.0.1:${env['PORT']}/ready`,
      });
      await started.start();
      running.push(started);
      return started;
    },
    hasStackFile: () => existsSync(stackPath),
    stack: () => JSON.parse(readFileSync(stackPath, 'utf8')) as StackFile,
    stopAll: async () => {
      await Promise.all(running.splice(0).map((one) => one.stop(40_000)));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export async function freePorts(): Promise<Record<string, string>> {
  const ports: Record<string, string> = {};
  for (const name of ['PORT', 'WORKER_PORT', 'OFFLINE_STRIPE_PORT', 'CONSOLE_PORT'])
    ports[name] = String(await freePort());
  return ports;
}

export function isAlive(pid: number): boolean {
  try {
    kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

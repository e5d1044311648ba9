import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readBlocks } from '@billing/testing';
import type { Block } from '@billing/testing';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const run = promisify(execFile);

/** The pages that a test follows. */
export const guides = ['integration-guide', 'usage-guide'] as const;
export type Guide = (typeof guides)[number];

/** The blocks of a page of docs, in order. */
export const readGuide = (guide: Guide = 'integration-guide'): Block[] =>
  readBlocks(join(root, `docs/${guide}.md`));

/** Compiles the SDK, as its build does, to where the guide's code finds it. */
export async function installClient(folder: string): Promise<void> {
  const source = join(root, 'packages/client');
  const installed = join(folder, 'node_modules/@billing/client');
  mkdirSync(installed, { recursive: true });
  copyFileSync(join(source, 'package.json'), join(installed, 'package.json'));
  const compiler = join(root, 'node_modules/.bin/tsc');
  await run(compiler, ['-p', 'tsconfig.build.json', '--outDir', join(installed, 'dist/esm')], {
    cwd: source,
  });
}

/**
 * Whether the guide's Python is run. A developer's machine may have none; in CI its absence fails the tests.
 */
export const runsPython =
  spawnSync('python3', ['--version']).status === 0 || (process.env['CI'] ?? '') !== '';

import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const run = promisify(execFile);

export type Block = { language: string; settings: string; text: string };

/** The blocks of docs/integration-guide.md, in order. */
export function readGuide(): Block[] {
  const markdown = readFileSync(join(root, 'docs/integration-guide.md'), 'utf8');
  const blocks = markdown.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm);
  return [...blocks].map(([, language = '', settings = '', text = '']) => ({
    language,
    settings,
    text,
  }));
}

export const setting = ({ settings }: Block, name: string): string | undefined =>
  new RegExp(`${name}=(\\S+)`).exec(settings)?.[1];

/** Saves each file of the guide under its name, as the guide asks its readers to do. */
export function saveFiles(folder: string, blocks: readonly Block[]): void {
  for (const block of blocks) {
    const path = setting(block, 'file');
    if (path === undefined) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), block.text);
  }
}

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

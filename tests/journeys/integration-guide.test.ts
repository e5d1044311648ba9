import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { testAdmin } from '../../apps/api/src/testing/start-test-api.test-support.ts';
import { runBlocks, saveFiles, setting } from '@billing/testing';
import type { Block } from '@billing/testing';
import { guides, installClient, readGuide, root, run, runsPython } from './guide.test-support.ts';
import { startWholeSystem } from './whole-system.test-support.ts';
import type { WholeSystem } from './whole-system.test-support.ts';

/**
 * Follows the guides of docs literally: saves its files, pastes its commands into one shell, and compares what
 * they print (`…` stands for anything). Only the system is not the one of `npm start`, and the command line runs from
 * source, so that no build is needed.
 */

let system: WholeSystem;
const folders: string[] = [];
beforeAll(async () => {
  system = await startWholeSystem();
});
afterAll(async () => {
  await system.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A clone after `npm ci && npm start`; returns its folder and the shell's environment. */
async function prepareClone(): Promise<{ folder: string; env: Record<string, string> }> {
  const folder = mkdtempSync(join(tmpdir(), 'billing-guide-'));
  folders.push(folder);
  mkdirSync(join(folder, '.local'));
  await installClient(folder);
  symlinkSync(join(root, 'node_modules/tsx'), join(folder, 'node_modules/tsx'));
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const node = [
    JSON.stringify(process.execPath),
    '--no-warnings',
    '--conditions=@billing/source',
    `--import=${tsx}`,
  ];
  const scripts = { billing: [...node, join(root, 'apps/cli/src/main.ts')].join(' ') };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true, scripts }));
  const stack = { api_url: system.url, admin_api_key: testAdmin.secret, stripe_url: system.stripeUrl };
  writeFileSync(join(folder, '.local/stack.json'), JSON.stringify(stack));
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  return { folder, env: { PATH: path, HOME: folder } };
}

test.each(guides)(
  'docs/%s.md works as it is written',
  async (guide) => {
    const blocks = readGuide(guide);
    const { folder, env } = await prepareClone();
    saveFiles(folder, blocks);
    const canRun = (block: Block): boolean => setting(block, 'needs') !== 'python3' || runsPython;
    const printed = await runBlocks(blocks.filter(canRun), { folder, env, timeoutMs: 240_000 });
    expect(printed.length).toBeGreaterThan(10);
    expect(printed.filter(({ isAsExpected }) => !isAsExpected)).toEqual([]);
  },
  300_000,
);

test('the TypeScript of the integration guide is typed', async () => {
  const { folder } = await prepareClone();
  saveFiles(folder, readGuide('integration-guide'));
  const compilerOptions = {
    target: 'ES2022',
    module: 'NodeNext',
    strict: true,
    noEmit: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  const files = ['.local/guide/receive-changes.ts'];
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const { stdout } = await run(join(root, 'node_modules/.bin/tsc'), ['-p', '.'], { cwd: folder });
  expect(stdout).toBe('');
});

test.each(guides)('of the blocks of docs/%s.md only the start of everything is left out', (guide) => {
  const leftOut = readGuide(guide).filter(
    (block) => !['sh', 'text'].includes(block.language) && setting(block, 'file') === undefined,
  );
  expect(leftOut.map(({ text }) => text)).toEqual(['npm ci && npm start\n']);
});

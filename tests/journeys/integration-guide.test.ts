import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { testAdmin } from '../../apps/api/src/testing/start-test-api.test-support.ts';
import { installClient, readGuide, root, run, runsPython, saveFiles, setting } from './guide.test-support.ts';
import { startWholeSystem } from './whole-system.test-support.ts';
import type { WholeSystem } from './whole-system.test-support.ts';

/**
 * Follows docs/integration-guide.md literally: saves its files, pastes its commands into one shell, and compares what
 * they print (`…` stands for anything). Only the system is not the one of `npm start`, and the command line runs from
 * source, so that no build is needed.
 */

/** A text block as a pattern: `…` matches anything on one line. */
const patternOf = (text: string): RegExp =>
  new RegExp(
    `^${text
      .trimEnd()
      .split('…')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join('.*')}$`,
  );

let system: WholeSystem;
let folder: string;
beforeAll(async () => {
  system = await startWholeSystem();
  folder = mkdtempSync(join(tmpdir(), 'billing-guide-'));
});
afterAll(async () => {
  await system.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A clone after `npm ci && npm start`; returns the shell's environment. */
async function prepareClone(): Promise<Record<string, string>> {
  mkdirSync(join(folder, '.local'));
  await installClient(folder);
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
  return { PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`, HOME: folder };
}

test('the integration guide works as it is written', async () => {
  const blocks = readGuide();
  const env = await prepareClone();
  saveFiles(folder, blocks);
  const script = ['set -euo pipefail'];
  const expected = new Map<number, string>();
  for (const [index, block] of blocks.entries()) {
    const isForPython = setting(block, 'needs') === 'python3';
    if (block.language !== 'sh' || (isForPython && !runsPython)) continue;
    script.push(`echo "@@${index}"`, block.text);
    const next = blocks[index + 1];
    if (next?.language === 'text') expected.set(index, next.text);
  }
  const { stdout } = await run('bash', ['-c', script.join('\n')], {
    cwd: folder,
    env,
    timeout: 120_000,
  }).catch((error: unknown) => {
    const { stdout: out, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`The guide stops here:\n${out}\n${stderr}`);
  });
  const printed = new Map(
    [...stdout.matchAll(/^@@(\d+)\n([\s\S]*?)(?=^@@|$(?![\s\S]))/gm)].map(([, index, text = '']) => [
      Number(index),
      text,
    ]),
  );
  expect(expected.size).toBeGreaterThan(10);
  for (const [index, text] of expected) expect(printed.get(index)?.trimEnd()).toMatch(patternOf(text));
}, 150_000);

test('of its blocks only the start of everything is left out', () => {
  const leftOut = readGuide().filter(
    (block) => !['sh', 'text'].includes(block.language) && setting(block, 'file') === undefined,
  );
  expect(leftOut.map(({ text }) => text)).toEqual(['npm ci && npm start\n']);
});

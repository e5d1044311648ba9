import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { testAdmin } from '../../apps/api/src/testing/start-test-api.test-support.ts';
import { startWholeSystem } from './whole-system.test-support.ts';
import type { WholeSystem } from './whole-system.test-support.ts';

/**
 * Follows docs/integration-guide.md literally: saves its files, pastes its commands into one shell, compares what
 * they print (`…` stands for anything). Only where the tools come from differs, so that no build is needed.
 */
const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

type Block = { language: string; settings: string; text: string };

function blocksOf(markdown: string): Block[] {
  const fences = markdown.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm);
  return [...fences].map(([, language = '', settings = '', text = '']) => ({ language, settings, text }));
}

const setting = ({ settings }: Block, name: string): string | undefined =>
  new RegExp(`${name}=(\\S+)`).exec(settings)?.[1];

const hasTool = (name: string): Promise<boolean> =>
  run('sh', ['-c', `command -v ${name}`]).then(
    () => true,
    () => false,
  );

/** What a text block says as a pattern: `…` is anything on one line. */
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

/** A clone after `npm ci && npm start`, with tools that run from source. */
function prepareClone(): Record<string, string> {
  const node = [
    JSON.stringify(process.execPath),
    '--no-warnings',
    '--conditions=@billing/source',
    '--import',
    join(folder, 'tools', 'typescript.mjs'),
  ].join(' ');
  const tools = join(folder, 'tools');
  for (const path of [tools, join(folder, '.local')]) mkdirSync(path);
  const hooks = pathToFileURL(join(root, 'packages/testing/jest/ts-hooks.js')).href;
  const register = `import { register } from 'node:module';\nregister(${JSON.stringify(hooks)});\n`;
  writeFileSync(join(tools, 'typescript.mjs'), register);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const scripts = { billing: `${node} ${join(root, 'scripts/src/billing.ts')}` };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true, scripts }));
  writeFileSync(join(tools, 'npx'), `#!/bin/sh\n[ "$1 $2" = "--yes tsx" ] && shift 2\nexec ${node} "$@"\n`, {
    mode: 0o755,
  });
  const stack = { api_url: system.url, admin_api_key: testAdmin.secret, stripe_url: system.stripeUrl };
  writeFileSync(join(folder, '.local/stack.json'), JSON.stringify(stack));
  return { PATH: `${tools}${delimiter}${process.env['PATH'] ?? ''}`, HOME: folder };
}

test('the integration guide works as it is written', async () => {
  const blocks = blocksOf(readFileSync(join(root, 'docs/integration-guide.md'), 'utf8'));
  const env = prepareClone();
  const script = ['set -euo pipefail'];
  const expected = new Map<number, string>();
  for (const [index, block] of blocks.entries()) {
    const path = setting(block, 'file');
    if (path !== undefined) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), block.text);
    }
    const tool = setting(block, 'needs');
    if (block.language !== 'sh' || (tool !== undefined && !(await hasTool(tool)))) continue;
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

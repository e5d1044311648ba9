import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** A block of code on a page of docs/. */
export type Block = {
  /** Of the part it stands in: the last heading with `##`. */
  heading: string;
  language: string;
  /** What follows the language: `file=…`, `needs=…`. */
  settings: string;
  text: string;
};

/** What a block printed, beside what the page says. */
export type Printed = { expected: string; printed: string; isAsExpected: boolean };

/** The blocks of a Markdown file, in order. */
export function readBlocks(path: string): Block[] {
  const parts = readFileSync(path, 'utf8').matchAll(/^## (.*)$|^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm);
  const blocks: Block[] = [];
  let current = '';
  for (const [, heading, language, settings = '', text = ''] of parts) {
    if (heading !== undefined) current = heading;
    if (language !== undefined) blocks.push({ heading: current, language, settings, text });
  }
  return blocks;
}

export const setting = ({ settings }: Block, name: string): string | undefined =>
  new RegExp(`${name}=(\\S+)`).exec(settings)?.[1];

/** Saves each file of the page under its name, as the page asks its readers to do. */
export function saveFiles(folder: string, blocks: readonly Block[]): void {
  for (const block of blocks) {
    const path = setting(block, 'file');
    if (path === undefined) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), block.text);
  }
}

/** A text block as a pattern: `…` matches anything on one line. */
const patternOf = (text: string): RegExp =>
  new RegExp(
    `^${text
      .trimEnd()
      .split('…')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join('.*')}$`,
  );

export type RunOptions = { folder: string; env: NodeJS.ProcessEnv; timeoutMs: number };

/**
 * Pastes the `sh` blocks into one shell, and compares what each prints with the `text` block that follows it. Throws, with
 * all that was printed, where the shell stops.
 */
export async function runBlocks(
  blocks: readonly Block[],
  { folder, env, timeoutMs }: RunOptions,
): Promise<Printed[]> {
  const script = ['set -euo pipefail'];
  for (const [index, { language, text }] of blocks.entries())
    if (language === 'sh') script.push(`echo "@@${index}"`, text);
  const { stdout } = await promisify(execFile)('bash', ['-c', script.join('\n')], {
    cwd: folder,
    env,
    timeout: timeoutMs,
    maxBuffer: 2 ** 26,
  }).catch((error: unknown) => {
    const { stdout: out, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`The page stops here:\n${out}\n${stderr}`);
  });
  const parts = stdout.matchAll(/^@@(\d+)\n([\s\S]*?)(?=^@@\d|$(?![\s\S]))/gm);
  return [...parts].flatMap(([, index, text = '']) => {
    const next = blocks[Number(index) + 1];
    if (next?.language !== 'text') return [];
    const [expected, printed] = [next.text.trimEnd(), text.trimEnd()];
    return [{ expected, printed, isAsExpected: patternOf(expected).test(printed) }];
  });
}

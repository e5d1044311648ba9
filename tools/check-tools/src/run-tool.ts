import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProgramName } from './check.ts';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

type ToolOptions = { cwd?: string; env?: Record<string, string>; input?: string; timeoutMs?: number };

export type Ran = { code: number; output: string; stdout: string };

/** Runs a program to its end, or for `timeoutMs` (default 5 minutes) at most. */
export function tryTool(
  command: string,
  args: readonly string[],
  { cwd = root, env = {}, input = '', timeoutMs = 300_000 }: ToolOptions = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const tool = spawn(command, args, { cwd, env: { ...process.env, ...env }, timeout: timeoutMs });
    const all: string[] = [];
    const out: string[] = [];
    tool.stdout.setEncoding('utf8').on('data', (text: string) => void (all.push(text), out.push(text)));
    tool.stderr.setEncoding('utf8').on('data', (text: string) => void all.push(text));
    tool.once('error', reject);
    tool.once('close', (code) => resolve({ code: code ?? 1, output: all.join(''), stdout: out.join('') }));
    // A tool that does not read its input closes it.
    tool.stdin.on('error', () => undefined).end(input);
  });
}

/** Runs a program; throws what it printed where it fails. */
export async function runTool(command: string, args: readonly string[], options?: ToolOptions): Promise<Ran> {
  const ran = await tryTool(command, args, options);
  if (ran.code !== 0) throw new Error(`${command} ${args.join(' ')}: exit code ${ran.code}\n${ran.output}`);
  return ran;
}

/** Where a program that is usually not on the PATH may be. */
const usualFolders: Record<ProgramName, readonly string[]> = {
  go: ['/usr/local/go/bin'],
  python3: [],
  promtool: [],
};

const missing: Record<ProgramName, string> = {
  go: 'Go is not installed (1.25 or newer)',
  python3: 'Python is not installed (Debian: python3 and python3-venv)',
  promtool: 'promtool is not installed (Debian: prometheus)',
};

/** The folder of a program, or in a sentence why it can't be used. */
export async function findProgram(name: ProgramName): Promise<{ folder: string } | { missing: string }> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...usualFolders[name]];
  const folder = folders.find((one) => one !== '' && existsSync(join(one, name)));
  if (folder === undefined) return { missing: missing[name] };
  if (name === 'python3') {
    const { code } = await tryTool(join(folder, name), ['-c', 'import venv, ensurepip']);
    if (code !== 0) return { missing: 'Python has no venv (Debian: python3-venv)' };
  }
  return { folder };
}

const folderOf = (name: string, version: string): string =>
  join(root, '.local/check-tools', `${name.replaceAll(/\W+/g, '-')}-${version}`);

/**
 * Installs a package of npm, at an exact version, and others (`name@version`) beside it, apart from this checkout's own; returns
 * the folder of its programs.
 */
export async function installFromNpm(
  name: string,
  version: string,
  others: readonly string[] = [],
): Promise<string> {
  const folder = folderOf(name, version);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const options = ['--silent', '--no-fund', '--no-audit', '--ignore-scripts', '--save-exact'];
  await runTool('npm', ['install', ...options, `${name}@${version}`, ...others], { cwd: folder });
  return join(folder, 'node_modules/.bin');
}

type GoProgram = { name: string; version: string; package: string };

/**
 * Builds a program from Go's modules, at an exact version, unless it is there; returns its path. In a module of its own: where
 * its own module replaces others, `go install` refuses it.
 */
export async function buildFromGo(program: GoProgram): Promise<string> {
  const folder = folderOf(program.name, program.version);
  const built = join(folder, program.name);
  if (existsSync(built)) return built;
  const found = await findProgram('go');
  if ('missing' in found) throw new Error(found.missing);
  const go = join(found.folder, 'go');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'go.mod'), `module local/${program.name}\n`);
  const options = { cwd: folder, timeoutMs: 1_200_000 };
  // The package and not its module, which would bring no sums of what the package imports.
  await runTool(go, ['get', `${program.package}@${program.version}`], options);
  // Under another name until it is whole.
  await runTool(go, ['build', '-o', `${built}.new`, program.package], options);
  renameSync(`${built}.new`, built);
  return built;
}

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { resultsDir, root } from '../paths.ts';
import type { Row } from './row.ts';

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

/** The machine and the state of the code, without which figures mean nothing. The results file has these names. */
export type RunInfo = {
  at: string;
  commit: string;
  is_dirty: boolean;
  node: string;
  cpu: string;
  cores: number;
  memory_gib: number;
};

export function describeRun(): RunInfo {
  const [cpu] = cpus();
  return {
    at: new Date().toISOString(),
    commit: git('rev-parse', '--short', 'HEAD') || 'unknown',
    is_dirty: git('status', '--porcelain', '--untracked-files=no') !== '',
    node: process.version,
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
  };
}

/** Writes the run as JSON; returns the file's path. */
export function writeResults(run: RunInfo, rows: readonly Row[]): string {
  mkdirSync(resultsDir, { recursive: true });
  const file = join(resultsDir, `${run.at.replace(/[:.]/g, '-')}.json`);
  writeFileSync(file, `${JSON.stringify({ ...run, rows }, null, 2)}\n`);
  return file;
}

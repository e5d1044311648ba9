import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../paths.ts';
import { parseBaseline } from './baseline.ts';
import type { Baseline } from './baseline.ts';

export const baselineFile = join(root, 'perf/baseline.json');

/** Undefined: there is none. Throws when it can't be used. */
export const readBaseline = (): Baseline | undefined =>
  existsSync(baselineFile) ? parseBaseline(readFileSync(baselineFile, 'utf8')) : undefined;

export const writeBaseline = (baseline: Baseline): void =>
  writeFileSync(baselineFile, `${JSON.stringify(baseline, null, 2)}\n`);

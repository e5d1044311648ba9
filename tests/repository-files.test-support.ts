import { readFileSync } from 'node:fs';

/** A file of this repository. */
export const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

export const linesOf = (path: string, pattern: RegExp): string[] =>
  read(path)
    .split('\n')
    .filter((line) => pattern.test(line));

export const dockerfiles = ['Dockerfile', 'tools/offline-stripe/Dockerfile'];

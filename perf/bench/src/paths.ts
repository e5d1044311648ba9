import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Same depth below the repository from `src` and from `dist`. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const resultsDir = join(root, 'perf/bench/results');

/** Built entries. */
export const entries = {
  api: join(root, 'apps/api/dist/main.js'),
  worker: join(root, 'apps/worker/dist/main.js'),
  stripe: join(root, 'tools/offline-stripe/dist/main.js'),
  seed: join(root, 'perf/seed-load/dist/main.js'),
  bench: (name: string): string => join(root, 'perf/bench/dist', `${name}.js`),
};

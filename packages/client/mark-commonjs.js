// The package is ESM; this tells Node and TypeScript that the second build beside it is CommonJS.
import { writeFileSync } from 'node:fs';

writeFileSync(
  new URL('dist/cjs/package.json', import.meta.url),
  `${JSON.stringify({ type: 'commonjs' }, null, 2)}\n`,
);

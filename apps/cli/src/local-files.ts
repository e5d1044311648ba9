import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where `npm start` and the import keep what they know; the same depth below the repository from `src` and `dist`. */
const folder = fileURLToPath(new URL('../../../.local/', import.meta.url));

export const localFiles = { folder, stack: join(folder, 'stack.json') };

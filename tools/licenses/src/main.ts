import { fileURLToPath } from 'node:url';
import { allowedLicenses, findRefused, lockfile } from './find-refused.ts';
import { readJsonFile } from '@billing/platform';

/** `npm run licenses`: every production dependency has a licence that is on the list. */
function checkLicenses(): number {
  const locked = readJsonFile(
    fileURLToPath(new URL('../../../package-lock.json', import.meta.url)),
    lockfile,
  );
  if (locked === undefined) {
    process.stderr.write("package-lock.json can't be read: run npm install at the root of the repository.\n");
    return 1;
  }
  const { checked, refused } = findRefused(locked);
  if (refused.length === 0) {
    process.stdout.write(`The licences of ${checked} production packages are all allowed.\n`);
    return 0;
  }
  const lines = refused.map(({ name, license }) => `  ${name}: ${license}`);
  process.stderr.write(
    `These production packages have no licence that is allowed (${allowedLicenses.join(', ')}).\n` +
      `Replace them, or read the licence and add it to tools/licenses/src/find-refused.ts:\n` +
      `${lines.join('\n')}\n`,
  );
  return 1;
}

process.exitCode = checkLicenses();

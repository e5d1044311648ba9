import { join } from 'node:path';
import { allowedLicenses, findRefused, lockfile } from './licenses/find-refused.ts';
import { readJsonFile } from './stack/json-file.ts';
import { paths } from './stack/paths.ts';

/** `npm run licenses`: every production dependency has a licence that is on the list. */
function checkLicenses(): number {
  const locked = readJsonFile(join(paths.root, 'package-lock.json'), lockfile);
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
      `Replace them, or read the licence and add it to scripts/src/licenses/find-refused.ts:\n` +
      `${lines.join('\n')}\n`,
  );
  return 1;
}

process.exitCode = checkLicenses();

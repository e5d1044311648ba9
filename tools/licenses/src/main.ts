import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import satisfies from 'spdx-satisfies';
import { z } from 'zod';

/** Permissive licences: whoever distributes this service owes their authors no more than the notice. */
const allowedLicenses = [
  'MIT',
  'MIT-0',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'Unlicense',
  'Zlib',
] as const;

/** What `package-lock.json` says of a package; npm copies the licence from the package's own manifest. */
const lockedPackage = z.object({
  version: z.string().optional(),
  license: z.string().optional(),
  link: z.boolean().default(false),
  dev: z.boolean().default(false),
  /** Needed by a development dependency, or optional: the images leave it out. */
  devOptional: z.boolean().default(false),
});
export const lockfile = z.object({ packages: z.record(z.string(), lockedPackage) });

/** The production packages of a lock file, and those whose licence is missing or not allowed. */
export function findRefused({ packages }: z.output<typeof lockfile>): {
  checked: number;
  refused: { name: string; license: string }[];
} {
  const production = Object.entries(packages).filter(
    ([path, locked]) => path.includes('node_modules/') && !locked.link && !locked.dev && !locked.devOptional,
  );
  const refused = production.flatMap(([path, { version, license = 'none named' }]) => {
    const name = `${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${version ?? '?'}`;
    return isAllowed(license) ? [] : [{ name, license }];
  });
  return { checked: production.length, refused };
}

function isAllowed(license: string): boolean {
  try {
    return satisfies(license, allowedLicenses);
  } catch {
    // Not an SPDX expression: "SEE LICENSE IN …", "UNLICENSED", a sentence. A person has to read it.
    return false;
  }
}

/** `npm run licenses`: every production dependency has an allowed licence. Returns the exit code. */
function checkLicenses(): number {
  const text = readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8');
  const { checked, refused } = findRefused(lockfile.parse(JSON.parse(text)));
  if (refused.length === 0) {
    process.stdout.write(`The licences of ${checked} production packages are all allowed.\n`);
    return 0;
  }
  process.stderr.write(
    `These production packages have no allowed licence (${allowedLicenses.join(', ')}).\n` +
      'Replace them, or read the licence and add it to tools/licenses/src/main.ts:\n' +
      refused.map(({ name, license }) => `  ${name}: ${license}\n`).join(''),
  );
  return 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = checkLicenses();

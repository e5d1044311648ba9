import satisfies from 'spdx-satisfies';
import { z } from 'zod';

/** Permissive licences: who ships this service owes their authors no more than their notice. */
export const allowedLicenses = [
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

/** What `package-lock.json` says of each package; npm copies the licence from the package's own manifest. */
const lockedPackage = z.object({
  version: z.string().optional(),
  license: z.string().optional(),
  link: z.boolean().default(false),
  dev: z.boolean().default(false),
  /** Comes with a development dependency, or as an optional one that the images leave out. */
  devOptional: z.boolean().default(false),
});
export const lockfile = z.object({ packages: z.record(z.string(), lockedPackage) });
export type Lockfile = z.output<typeof lockfile>;

export type RefusedPackage = { readonly name: string; readonly license: string };

function isAllowed(license: string): boolean {
  try {
    return satisfies(license, allowedLicenses);
  } catch {
    // No SPDX expression: "SEE LICENSE IN …", "UNLICENSED", a sentence. Somebody has to read it.
    return false;
  }
}

/** The production packages of a lockfile, and those whose licence is missing or not on the list. */
export function findRefused({ packages }: Lockfile): {
  checked: number;
  refused: RefusedPackage[];
} {
  const ofOthers = Object.entries(packages).filter(
    ([path, locked]) => path.includes('node_modules/') && !locked.link && !locked.dev && !locked.devOptional,
  );
  const refused = ofOthers.flatMap(([path, { version, license = 'none named' }]) => {
    const name = `${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${version ?? '?'}`;
    return isAllowed(license) ? [] : [{ name, license }];
  });
  return { checked: ofOthers.length, refused };
}

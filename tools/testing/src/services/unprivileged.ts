import { spawnSync } from 'node:child_process';
import { chownSync } from 'node:fs';

const NOBODY = 65_534;

/**
 * Postgres refuses to run as root. Returns what to put before a command so that it does not see itself as root
 * while it can still use `dir`: nothing for other users; a user namespace where the system allows one, as that
 * works below folders which no other user may enter; else the user `nobody`, who then owns `dir`.
 */
export function unprivilegedPrefix(dir: string): string[] {
  if (process.getuid?.() !== 0) return [];
  const namespace = ['unshare', '-U', '--map-user=1000', '--map-group=1000'];
  if (spawnSync('unshare', [...namespace.slice(1), 'true']).status === 0) return namespace;
  chownSync(dir, NOBODY, NOBODY);
  const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  if (spawnSync('setpriv', [...asNobody.slice(1), 'test', '-w', dir]).status === 0) return asNobody;
  throw new Error(
    `Postgres does not run as root, and no other user may enter ${dir}. Start as another user, or set DATABASE_URL.`,
  );
}

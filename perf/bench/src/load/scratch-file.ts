import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders: string[] = [];

/** The path for a new file, in a folder of its own that is removed when this process ends. */
export function scratchFile(name: string): string {
  if (folders.length === 0)
    process.once('exit', () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));
  const folder = mkdtempSync(join(tmpdir(), 'billing-load-'));
  folders.push(folder);
  return join(folder, name);
}

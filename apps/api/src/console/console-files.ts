import { readdir, readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const compress = promisify(gzip);

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};
const compressed = /^(?:text|application)\/|svg/;

export type ConsoleFile = {
  body: Buffer;
  /** Null: it is no smaller so. */
  gzipped: Buffer | null;
  type: string;
  cacheControl: string;
};

export const indexPage = 'index.html';

/** What a build names after its content never changes under this name. */
const isNamedByContent = (path: string): boolean => /^assets\/.*-[\w-]{8,}\.\w+$/.test(path);

async function load(directory: string, path: string): Promise<ConsoleFile> {
  const body = await readFile(join(directory, path));
  const type = types[extname(path)] ?? 'application/octet-stream';
  const gzipped = compressed.test(type) ? await compress(body, { level: 9 }) : null;
  return {
    body,
    gzipped: gzipped !== null && gzipped.length < body.length ? gzipped : null,
    type,
    cacheControl: isNamedByContent(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
}

/** The paths of all files below a directory, with `/`; it may not be there. */
async function listFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .map((path) => path.split(sep).join('/'));
}

export type ConsoleFiles = {
  /** A file of the build by its path; null: there is none. A path that a request makes up leads nowhere: only listed ones are read. */
  find: (path: string) => Promise<ConsoleFile | null>;
};

/**
 * The files of a build of the console, each read and compressed when it is first asked for. `isFixed`: the build does not change while
 * the process runs; else it is looked at anew for each page that is opened.
 */
export function createConsoleFiles({
  directory,
  isFixed,
}: {
  directory: string;
  isFixed: boolean;
}): ConsoleFiles {
  let files = new Map<string, Promise<ConsoleFile> | null>();
  return {
    async find(path) {
      // Where the build is missing it may come yet.
      if (files.size === 0 || (!isFixed && path === indexPage)) {
        const names = await listFiles(directory);
        const kept = files;
        files = new Map(
          names.map((name) => [name, isNamedByContent(name) ? (kept.get(name) ?? null) : null]),
        );
      }
      const known = files.get(path);
      if (known === undefined) return null;
      const loading = known ?? load(directory, path);
      files.set(path, loading);
      try {
        return await loading;
      } catch (error) {
        files.set(path, null);
        throw error;
      }
    },
  };
}

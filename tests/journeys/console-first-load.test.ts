import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildConsole, consoleDist } from './console.test-support.ts';

const mostBytes = 350 * 1024;

/** The files that a browser loads with `file`: what it imports, and what that imports. Not what is loaded later. */
function staticImports(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  if (!file.endsWith('.js')) return seen;
  const text = readFileSync(join(consoleDist, 'assets', file), 'utf8');
  for (const [, name = ''] of text.matchAll(/(?:from|import)\s*["']\.\/([\w.-]+)["']/g))
    staticImports(name, seen);
  return seen;
}

test('the first load is at most 350 KB, compressed, and nothing comes from another host', async () => {
  await buildConsole();
  const page = readFileSync(join(consoleDist, 'index.html'), 'utf8');
  const named = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
  expect(named.length).toBeGreaterThan(2);
  for (const path of named) expect(path).toMatch(/^\/console\/[\w/.-]+$/);
  expect(page).not.toMatch(/<style|<script(?! type="module"[^>]* src=)/);
  expect(page).toContain('nonce="__CSP_NONCE__"');

  const assets = named.filter((path) => path.startsWith('/console/assets/')).map((path) => path.slice(16));
  const files = new Set(assets.flatMap((file) => [...staticImports(file)]));
  const sizes = [...files].map((file) => gzipSync(readFileSync(join(consoleDist, 'assets', file))).length);
  const bytes = sizes.reduce((sum, size) => sum + size, gzipSync(page).length);
  expect(bytes).toBeLessThan(mostBytes);
  expect(readdirSync(join(consoleDist, 'assets')).length).toBeGreaterThan(15);
}, 120_000);

import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Load, Report } from './saturate.ts';

/** The path of wrk; undefined: not installed. */
export function findWrk(): string | undefined {
  const found = spawnSync('/bin/sh', ['-c', 'command -v wrk'], { encoding: 'utf8' }).stdout.trim();
  return found === '' ? undefined : found;
}

/** `bad` counts what is no 200: wrk's own count takes 3xx for good. */
const script = (paths: readonly string[], apiKey: string | undefined): string => `
local paths = { ${paths.map((path) => JSON.stringify(path)).join(', ')} }
local headers = ${apiKey === undefined ? '{}' : `{ ["Authorization"] = "Bearer ${apiKey}" }`}
local requests, at = {}, 0
init = function()
  for i, path in ipairs(paths) do requests[i] = wrk.format("GET", path, headers) end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout))
end`;

export async function runWrk(wrk: string, url: string, load: Load): Promise<Report> {
  const file = join(mkdtempSync(join(tmpdir(), 'billing-load-')), 'load.lua');
  writeFileSync(file, script(load.paths ?? ['/'], load.apiKey));
  const { stdout } = await promisify(execFile)(wrk, [
    '-t1',
    `-c${load.connections}`,
    `-d${load.seconds}s`,
    `-s${file}`,
    url,
  ]);
  const [, requests, micros, failed] = /RESULT (\d+) (\d+) (\d+)/.exec(stdout) ?? [];
  return { requests: Number(requests), seconds: Number(micros) / 1e6, failed: Number(failed) };
}

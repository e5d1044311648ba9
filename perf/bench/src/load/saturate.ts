import { execFile, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Running } from '../environment/start-process.ts';
import { countCpu } from '../measure/cpu-time.ts';
import type { Processes } from '../measure/cpu-time.ts';
import type { Measured } from '../measure/take-turns.ts';
import { entries } from '../paths.ts';
import { idMark } from './id-mark.ts';
import { scratchFile } from './scratch-file.ts';

/**
 * The requests of a load generator. `webhook`: POSTs Stripe events, each with its own id and signature: those of a file
 * (a JSON line each: body, signature), or made for it.
 */
export type Load = {
  connections: number;
  apiKey?: string;
  /** Paths to GET, one after another. */
  paths?: readonly string[];
  webhook?: { path: string } & ({ secret: string } | { eventsFile: string });
  /** JSON to POST, one body after another; each `idMark` in it becomes an id of its own. */
  post?: { path: string; bodies: readonly string[] };
} & ({ seconds: number } | { count: number });

const report = z.object({ requests: z.number(), seconds: z.number(), failed: z.number() });
type Report = z.output<typeof report>;

/** The path of wrk; undefined: not installed. */
export function findWrk(): string | undefined {
  const found = spawnSync('/bin/sh', ['-c', 'command -v wrk'], { encoding: 'utf8' }).stdout.trim();
  return found === '' ? undefined : found;
}

const luaList = (texts: readonly string[]): string =>
  `{ ${texts.map((text) => JSON.stringify(text)).join(', ')} }`;

const wrkScript = ({ paths = ['/'], apiKey, post }: Load): string => `
local paths = ${luaList(paths)}
local bodies = ${luaList(post?.bodies ?? [])}
local headers = ${apiKey === undefined ? '{}' : `{ ["Authorization"] = "Bearer ${apiKey}" }`}
local requests, at, ids = {}, 0, 0
init = function()
  headers["content-type"] = ${post === undefined ? 'nil' : '"application/json"'}
  for i, path in ipairs(paths) do requests[i] = wrk.format("GET", path, headers) end
end
local function new_id()
  ids = ids + 1
  return "${randomUUID()}_" .. ids
end
request = function()
  if #bodies == 0 then
    at = at % #requests + 1
    return requests[at]
  end
  at = at % #bodies + 1
  return wrk.format("POST", "${post?.path ?? ''}", headers, (string.gsub(bodies[at], "${idMark}", new_id)))
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout))
end`;

async function runWrk(wrk: string, url: string, load: Load & { seconds: number }): Promise<Report> {
  const file = scratchFile('load.lua');
  writeFileSync(file, wrkScript(load));
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

/** A load generator in a process of its own: wrk where it is installed and can do it, else autocannon. */
export async function generate(url: string, load: Load): Promise<Report> {
  const wrk = load.webhook === undefined ? findWrk() : undefined;
  if (wrk !== undefined && 'seconds' in load) return runWrk(wrk, url, load);
  const file = scratchFile('load.json');
  writeFileSync(file, JSON.stringify({ url, ...load }));
  const { stdout } = await promisify(execFile)(process.execPath, [entries.bench('load/autocannon'), file]);
  return report.parse(JSON.parse(stdout));
}

export type Saturated = Measured & { count: number };

/** Saturates a server; returns requests a second and the CPU of `processes` for each. Throws when a request failed. */
export async function saturate(
  { url }: Pick<Running, 'url'>,
  load: Load,
  processes: Processes,
): Promise<Saturated> {
  const cpuOf = countCpu(processes);
  const { requests, seconds, failed } = await generate(url, load);
  if (failed > 0 || requests === 0)
    throw new Error(`${failed} of ${requests} requests to ${url} failed: nothing can be compared.`);
  return { value: requests / seconds, cpu: cpuOf(requests), count: requests };
}

import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { cpuSeconds } from '../measure/cpu-time.ts';
import type { Measured } from '../measure/take-turns.ts';
import { entries } from '../paths.ts';
import type { Running } from '../environment/start-process.ts';
import { findWrk, runWrk } from './wrk.ts';

/** What is asked, over and over. `webhook`: a POST of a Stripe event with an id and a signature of its own each. */
export type Load = {
  connections: number;
  seconds: number;
  apiKey?: string;
  /** GET, one after another. */
  paths?: readonly string[];
  webhook?: { secret: string; path: string };
};

const report = z.object({ requests: z.number(), seconds: z.number(), failed: z.number() });
export type Report = z.output<typeof report>;

/** A load generator in a process of its own: wrk where it is installed and can do it, else autocannon. */
export async function generate(url: string, load: Load): Promise<Report> {
  const wrk = load.webhook === undefined ? findWrk() : undefined;
  if (wrk !== undefined) return runWrk(wrk, url, load);
  const file = join(mkdtempSync(join(tmpdir(), 'billing-load-')), 'load.json');
  writeFileSync(file, JSON.stringify({ url, ...load }));
  const { stdout } = await promisify(execFile)(process.execPath, [entries.bench('load/autocannon'), file]);
  return report.parse(JSON.parse(stdout));
}

/** Keeps a server busy with as many connections as given; requests a second, and its CPU for each. */
export async function saturate(server: Running, load: Load): Promise<Measured> {
  const before = cpuSeconds(server.pid);
  const { requests, seconds, failed } = await generate(server.url, load);
  const cpu = cpuSeconds(server.pid) - before;
  if (failed > 0 || requests === 0)
    throw new Error(`${failed} of ${requests} requests to ${server.url} failed: nothing can be compared.`);
  return { value: requests / seconds, cpuMicros: (cpu / requests) * 1e6 };
}

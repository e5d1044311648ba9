import { mkdirSync } from 'node:fs';
import { paths } from './paths.ts';
import { createPrinter } from './print-output.ts';
import { quickstart } from './quickstart.ts';
import { readSettings } from './settings.ts';
import { becomeSingleInstance, releaseInstance } from './single-instance.ts';
import { startStack } from './stack.ts';
import type { Started } from './stack.ts';

/** `npm run dev` runs this file from source: then all our processes do, and their output is shown. */
const isDev = import.meta.url.endsWith('.ts');
const parentCheckMs = 1_000;

const started: Started = { processes: [], servers: [] };
const stopping = new AbortController();

/** Stops everything, then ends this process. Only the first call counts. */
async function end(exitCode: number): Promise<void> {
  if (stopping.signal.aborted) return;
  stopping.abort();
  // Our processes first, then the servers they need.
  await Promise.allSettled(started.processes.map((one) => one.stop()));
  await Promise.allSettled(started.servers.map((one) => one.stop()));
  releaseInstance();
  process.exit(exitCode);
}

function say(line: string): void {
  if (!stopping.signal.aborted) process.stdout.write(`${line}\n`);
}

async function main(): Promise<void> {
  const startedAt = performance.now();
  mkdirSync(paths.logs, { recursive: true, mode: 0o700 });
  const { afterCrash } = await becomeSingleInstance();
  const settings = readSettings(process.env);
  const print = createPrinter({
    write: (line) => process.stdout.write(line),
    hasColours: process.stdout.isTTY && process.stdout.hasColors(),
  });
  const onOutput = isDev ? print : undefined;
  const stack = await startStack({ settings, started, afterCrash, signal: stopping.signal, say, onOutput });
  const seconds = (performance.now() - startedAt) / 1_000;
  say(quickstart(stack, { seconds, isOffline: settings.stripe === undefined }));
}

/**
 * Keeps this process alive while its servers run, and ends it when npm, which started it, was killed and could
 * not pass the signal on.
 */
function watchParent(): void {
  const parent = process.ppid;
  const isRunByNpm = process.env['npm_lifecycle_event'] !== undefined && parent !== 1;
  setInterval(() => {
    if (isRunByNpm && process.ppid !== parent) void end(0);
  }, parentCheckMs);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0));
// The terminal may be gone; that must not end this process while it stops the others.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
watchParent();

main().catch((error: unknown) => {
  if (stopping.signal.aborted) return;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  void end(1);
});

import { mkdirSync } from 'node:fs';
import { ConfigError, MigrationError } from '@billing/platform';
import { becomeSingleInstance, releaseInstance } from './single-instance.ts';
import { paths } from './paths.ts';
import { readSettings } from './settings.ts';
import { StartError } from './start-error.ts';
import { startStack, type Started } from './start-stack.ts';
import { describeStack } from './quickstart.ts';

const PARENT_CHECK_MS = 1_000;

const started: Started = { processes: [], servers: [] };
let ending: Promise<void> | undefined;

/** Stops everything, then ends this process. Only the first call counts. */
function end(exitCode: number): Promise<void> {
  ending ??= (async () => {
    // Ours first and at once, then the servers they need.
    await Promise.allSettled(started.processes.map((one) => one.stop()));
    await Promise.allSettled(started.servers.map((one) => one.stop()));
    releaseInstance();
    process.exit(exitCode);
  })();
  return ending;
}

function say(line: string): void {
  if (ending === undefined) process.stdout.write(`${line}\n`);
}

async function main(): Promise<void> {
  const startedAt = performance.now();
  mkdirSync(paths.logs, { recursive: true, mode: 0o700 });
  const { afterCrash } = await becomeSingleInstance();
  const stack = await startStack({ settings: readSettings(process.env), started, afterCrash, say });
  stack.supervise(say);
  say(
    describeStack(stack.file, {
      seconds: (performance.now() - startedAt) / 1_000,
      isOffline: stack.isOffline,
    }),
  );
}

/** One sentence for what a person can mend; anything else is a bug and shows itself. */
function explain(error: unknown): string {
  if (error instanceof StartError || error instanceof ConfigError || error instanceof MigrationError)
    return error.message;
  return error instanceof Error ? error.message : String(error);
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
  }, PARENT_CHECK_MS);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0));
// The terminal may be gone; that must not end us in the middle of stopping.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
watchParent();

main().catch((error: unknown) => {
  if (ending !== undefined) return;
  process.stderr.write(`${explain(error)}\n`);
  void end(1);
});

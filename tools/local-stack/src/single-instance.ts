import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readJsonFile } from '@billing/platform';
import { commandLineOf, endLeftovers } from '@billing/testing';
import { z } from 'zod';
import { paths } from './paths.ts';

const leftStack = z.object({ pids: z.record(z.string(), z.number().nullable()) });

/** The command lines of `npm start` and `npm run dev`, and of what they start. */
const starter = /local-stack\/(dist|src)\/main\./;
const child = /(apps\/api|apps\/worker|offline-stripe)\/(dist|src)\/main\.|redis-server|valkey-server/;

/**
 * Makes this the only start in this checkout: throws when another one runs, and ends what one that was killed
 * left behind. `afterCrash`: one was killed, and what it had started may take a moment to end by itself.
 */
export async function becomeSingleInstance(): Promise<{ afterCrash: boolean }> {
  const other = runningStart();
  if (other !== undefined)
    throw new Error(`npm start already runs here (process ${other}): stop it with Ctrl-C first.`);
  const afterCrash = existsSync(paths.startPid);
  const left = Object.values(readJsonFile(paths.stack, leftStack)?.pids ?? {}).filter((pid) => pid !== null);
  await endLeftovers(left, {
    isOurs: (commandLine) => child.test(commandLine),
    signal: 'SIGTERM',
    graceMs: 12_000,
  });
  rmSync(paths.stack, { force: true });
  writeFileSync(paths.startPid, String(process.pid));
  return { afterCrash };
}

/** The process id of a start that runs in this checkout. */
export function runningStart(): number | undefined {
  if (!existsSync(paths.startPid)) return undefined;
  const pid = Number(readFileSync(paths.startPid, 'utf8'));
  return pid !== process.pid && starter.test(commandLineOf(pid)) ? pid : undefined;
}

/** Removes the marks of a start that runs here, if they are those of this one. */
export function releaseInstance(): void {
  if (!existsSync(paths.startPid) || Number(readFileSync(paths.startPid, 'utf8')) !== process.pid) return;
  rmSync(paths.stack, { force: true });
  rmSync(paths.startPid, { force: true });
}

import type { Running } from '../environment/start-process.ts';
import type { Processes } from '../measure/cpu-time.ts';
import type { Measured, Variant } from '../measure/take-turns.ts';
import type { Settings } from './scenario.ts';
import { cpuOfAll } from '../report/row.ts';
import { warmUp } from '../measure/warm-up.ts';

/** One of those that are compared: its own processes by name, and what it does, for whoever reads the figures. */
export type Rival = { name: string; does: string; running: Readonly<Record<string, Running>> };

/** The process of that name; throws where the rival has none. */
export function processOf({ name, running }: Rival, process: string): Running {
  const found = running[process];
  if (found === undefined) throw new Error(`${name} has no ${process}.`);
  return found;
}

/** Suspends the processes of all others: their timers and polls are no part of what this one costs. */
export function letRunAlone(rivals: readonly Rival[], { running }: Rival): void {
  const own = new Set(Object.values(running));
  for (const other of new Set(rivals.flatMap((rival) => Object.values(rival.running))))
    if (!own.has(other)) other.pause();
  for (const process of own) process.resume();
}

/** The rival's processes, and the servers that it uses. */
export const processesOf = ({ running }: Rival, servers: Processes): Processes => ({
  ...Object.fromEntries(Object.entries(running).map(([name, { pid }]) => [name, pid])),
  ...servers,
});

export const stopAll = (rivals: readonly Rival[]): Promise<unknown> =>
  Promise.all([...new Set(rivals.flatMap(({ running }) => Object.values(running)))].map((one) => one.stop()));

type Load<R extends Rival> = {
  rivals: readonly R[];
  /** One turn of a rival, while the others are suspended. */
  turn: (rival: R) => Promise<Measured & { count: number }>;
  settings: Pick<Settings, 'warmSeconds' | 'say'>;
  /** As of `warmUp`. */
  leastCount?: number;
};

/** Warms each rival until its CPU per request stands. */
export async function warmAll<R extends Rival>({ rivals, turn, settings, ...least }: Load<R>): Promise<void> {
  const { warmSeconds, say } = settings;
  for (const rival of rivals) {
    letRunAlone(rivals, rival);
    // Who is new, or was suspended, may refuse what comes in the first second: this one does not count.
    await turn(rival).catch(() => undefined);
    const window = async () => {
      const measured = await turn(rival);
      return { figure: cpuOfAll(measured), count: measured.count };
    };
    await warmUp({ name: rival.name, window, say, mostMs: warmSeconds * 1000, ...least });
  }
}

/** A variant for each rival, measured while the others are suspended. */
export const variantsOf = <R extends Rival, T>(
  rivals: readonly R[],
  turn: (rival: R) => Promise<T>,
): Variant<T>[] =>
  rivals.map((rival) => ({
    name: rival.name,
    measure: () => {
      letRunAlone(rivals, rival);
      return turn(rival);
    },
  }));

import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second for user programs (`getconf CLK_TCK`). */
const ticksPerSecond = 100;

type Stat = { id: number; parent: number; cpuTicks: number };

/** Fields as in proc(5). The command may contain spaces and brackets, so they are counted from its last bracket. */
function readStat(id: number): Stat | undefined {
  try {
    const fields = readFileSync(`/proc/${id}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    const field = (number: number): number => Number(fields[number - 3]);
    // User and system time, its own and that of its children that have ended: else it would vanish with a connection.
    return { id, parent: field(4), cpuTicks: field(14) + field(15) + field(16) + field(17) };
  } catch {
    return undefined;
  }
}

/** The process and its descendants: a cluster's workers and Postgres's backends do the work of the first. */
function treeOf(pid: number): Stat[] {
  const all = readdirSync('/proc')
    .map(Number)
    .filter((id) => Number.isInteger(id) && id > 0)
    .flatMap((id) => readStat(id) ?? []);
  const found = all.filter(({ id }) => id === pid);
  for (const { id } of found) found.push(...all.filter(({ parent }) => parent === id));
  return found;
}

/** CPU seconds that a process and its children have used so far, user and system. */
const cpuSeconds = (pid: number): number =>
  treeOf(pid).reduce((sum, { cpuTicks }) => sum + cpuTicks, 0) / ticksPerSecond;

/** Who did the work, by name: `API`, `Postgres`, … Each pid stands for its whole tree. */
export type Processes = Readonly<Record<string, number>>;

/** CPU microseconds per request or event, by process. */
export type Cpu = Readonly<Record<string, number>>;

/** Starts to count; the function that it returns gives what each process has used since, for each of `count` events. */
export function countCpu(processes: Processes): (count: number) => Cpu {
  const pids = Object.entries(processes);
  const before = pids.map(([, pid]) => cpuSeconds(pid));
  return (count) =>
    Object.fromEntries(
      pids.map(([name, pid], index) => [name, ((cpuSeconds(pid) - (before[index] ?? 0)) / count) * 1e6]),
    );
}

export const sumOf = (cpu: Cpu): number => Object.values(cpu).reduce((sum, micros) => sum + micros, 0);

/** The number of KiB in a line of /proc/<pid>/status, as MiB; 0 for a process that has ended. */
function statusMib(pid: number, line: 'VmRSS' | 'VmHWM'): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`^${line}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

const largest = (pid: number, line: 'VmRSS' | 'VmHWM'): number =>
  Math.max(0, ...treeOf(pid).map(({ id }) => statusMib(id, line)));

/** Resident memory of the largest process of the tree, in MiB. */
export const residentMib = (pid: number): number => largest(pid, 'VmRSS');

/** The most that the largest process of the tree ever had resident, in MiB. */
export const peakResidentMib = (pid: number): number => largest(pid, 'VmHWM');

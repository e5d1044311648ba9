import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second for user programs (`getconf CLK_TCK`). */
const ticksPerSecond = 100;

type Stat = { parent: number; cpuTicks: number; residentPages: number };

/** Fields as in proc(5). The command may contain spaces and brackets, so they are counted from its last bracket. */
function readStat(pid: number): Stat | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    const field = (number: number): number => Number(fields[number - 3]);
    return { parent: field(4), cpuTicks: field(14) + field(15), residentPages: field(24) };
  } catch {
    return undefined;
  }
}

/** The process and its descendants, as a cluster's workers do its work. */
function treeOf(pid: number): Stat[] {
  const all = readdirSync('/proc')
    .map(Number)
    .filter((id) => Number.isInteger(id) && id > 0)
    .flatMap((id) => {
      const stat = readStat(id);
      return stat === undefined ? [] : [{ id, stat }];
    });
  const found = all.filter(({ id }) => id === pid);
  for (const { id } of found) found.push(...all.filter(({ stat }) => stat.parent === id));
  return found.map(({ stat }) => stat);
}

/** CPU seconds that a process and its children have used so far, user and system. */
export const cpuSeconds = (pid: number): number =>
  treeOf(pid).reduce((sum, { cpuTicks }) => sum + cpuTicks, 0) / ticksPerSecond;

/** Resident memory of the largest process of the tree, in MiB (pages of 4 KiB). */
export const residentMib = (pid: number): number =>
  Math.max(0, ...treeOf(pid).map(({ residentPages }) => residentPages / 256));

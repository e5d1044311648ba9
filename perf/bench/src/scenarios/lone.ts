import type { BenchEnvironment } from '../environment/set-up.ts';
import { failOnFailed, openLoop } from '../load/open-loop.ts';
import { deliver } from '../load/deliver.ts';
import { createHttpClient } from '../load/http-client.ts';
import { median, spreadOf } from '../measure/statistics.ts';
import { takeTurns } from '../measure/take-turns.ts';
import type { Turns } from '../measure/take-turns.ts';
import { atMost } from '../report/goal.ts';
import type { Goal } from '../report/goal.ts';
import { cpuOfAll, latencyRows, quotient, toRows } from '../report/row.ts';
import type { Row } from '../report/row.ts';
import { startLean, startOurs, startSynchronous } from './event-rivals.ts';
import type { EventRival } from './event-rivals.ts';
import { createLook, pauseMs, watchedEvery } from './look.ts';
import type { Seen } from './look.ts';
import { processOf, stopAll, variantsOf, warmAll } from './rivals.ts';
import type { Scenario } from './scenario.ts';
import { perSecond, sendChanges } from './send-changes.ts';
import type { LoneTurn } from './send-changes.ts';

const scenario = 'lone event, 100/s open loop';
const watched = 'ours, watched';
/** Each round is this many times as long as elsewhere, as there are only 100 events in a second; there are fewer rounds. */
const longer = 4;
const togetherSeconds = 30;

type Turn = LoneTurn & { seen?: Seen };
type Named = { ours: EventRival; lean: EventRival; all: EventRival[] };

async function startRivals(environment: BenchEnvironment): Promise<Named> {
  const [ours, lean] = [await startOurs(environment), await startLean(environment)];
  const { writer, syncEngine } = await startSynchronous(environment);
  const does = `the same processes; every ${watchedEvery}th change is looked for by a check every ${pauseMs} ms`;
  return { ours, lean, all: [ours, { ...ours, name: watched, does }, lean, writer, syncEngine] };
}

/** All at once, as only V8 and the connections have to become warm. */
async function warmTogether(
  environment: BenchEnvironment,
  rivals: readonly EventRival[],
  seconds: number,
): Promise<void> {
  const urls = new Set(rivals.map((rival) => processOf(rival, 'API').url));
  const warm = async (url: string): Promise<void> => {
    const client = createHttpClient(url);
    const request = (): Promise<void> => deliver(client, environment.nextEvent());
    failOnFailed(await openLoop({ perSecond, seconds, request }), 'changes');
    client.close();
  };
  await Promise.all([...urls].map(warm));
}

/** One round of a rival; of ours also with reads that look. */
async function takeTurn(environment: BenchEnvironment, rival: EventRival, seconds: number): Promise<Turn> {
  if (rival.name !== watched) return sendChanges(environment, rival, { seconds });
  const look = createLook(environment, processOf(rival, 'API').url);
  const turn = await sendChanges(environment, rival, { seconds, look });
  return { ...turn, seen: look.finish() };
}

function goalsOf(turns: Turns<Turn>, { ours, lean }: Named): { p50: Goal[]; p95: Goal[]; cpu: Goal } {
  const path = 'lone event';
  const p50 = ({ row }: Turn): number => row.p50;
  const p95 = ({ row }: Turn): number => row.p95;
  const own = turns.get(ours.name) ?? [];
  const times = (figure: (turn: Turn) => number): number => quotient(turns, [ours.name, lean.name], figure);
  return {
    p50: [
      atMost({ path, figure: 'row p50, ms', reached: median(own.map(p50)) }, 3.5),
      atMost({ path, figure: 'row p50 ÷ the lean worker’s', reached: times(p50) }, 1.3),
    ],
    p95: [
      atMost({ path, figure: 'row p95, ms', reached: median(own.map(p95)) }, 6),
      atMost({ path, figure: 'row p95 ÷ the lean worker’s', reached: times(p95) }, 1.3),
    ],
    cpu: atMost({ path, figure: 'CPU of all ÷ the lean worker’s', reached: times(cpuOfAll) }, 1.3),
  };
}

/** What the reads that look showed, and what they cost. */
function watchedRows(turns: Turns<Turn>, { ours }: Named): Row[] {
  const seen = (turns.get(watched) ?? []).flatMap((turn) => turn.seen ?? []);
  const looks = (turns.get(watched) ?? []).map(
    (turn, round) => cpuOfAll(turn) - cpuOfAll(turns.get(ours.name)?.[round] ?? turn),
  );
  const p95 = median(seen.map((one) => one.seen.p95));
  const figures: [name: string, unit: string, values: number[]][] = [
    ['looking: reads per watched change', 'reads', seen.map(({ readsPerChange }) => readsPerChange)],
    ['looking: CPU, spread over all changes', 'µs', looks],
    ['looking: the read that shows it, p50', 'ms', seen.map(({ read }) => read.p50)],
  ];
  return [
    ...latencyRows(
      { scenario, name: 'visible' },
      seen.map((one) => one.seen),
      { p95: [atMost({ path: 'lone event', figure: 'visible p95, ms', reached: p95 }, 9)] },
    ),
    ...figures.map(([name, unit, values]): Row => ({ scenario, name, unit, value: spreadOf(values) })),
  ];
}

function toTable(turns: Turns<Turn>, named: Named): Row[] {
  const { ours, lean, all } = named;
  const goals = goalsOf(turns, named);
  const rows = toRows(turns, { scenario, unit: 'events/s', reference: lean.name, variants: all });
  const latencies = all.flatMap(({ name }) => {
    const rounds = turns.get(name) ?? [];
    return [
      ...latencyRows(
        { scenario, name: `${name}: accepted` },
        rounds.map(({ accepted }) => accepted),
      ),
      ...latencyRows(
        { scenario, name: `${name}: row` },
        rounds.map(({ row }) => row),
        name === ours.name ? { p50: goals.p50, p95: goals.p95 } : {},
      ),
    ];
  });
  return [
    // The rate is given; what compares is the CPU.
    ...rows.map(({ ratio: _rate, ...row }) => ({
      ...row,
      ...(row.name === ours.name ? { goals: [goals.cpu] } : {}),
    })),
    ...latencies,
    ...watchedRows(turns, named),
  ];
}

/** One change at a time: how long until it is accepted, stored and shown, and what it costs all processes together. */
export const lone: Scenario = {
  name: 'lone',
  isDefault: true,
  async run(environment, settings) {
    const { rounds, seconds, say } = settings;
    const named = await startRivals(environment);
    const rivals = named.all;
    await warmTogether(environment, rivals, Math.min(togetherSeconds, settings.warmSeconds));
    await warmAll({
      rivals: rivals.filter(({ name }) => name !== watched),
      turn: (rival) => takeTurn(environment, rival, 2 * seconds),
      settings,
      leastCount: 0,
    });
    const variants = variantsOf(rivals, (rival) => takeTurn(environment, rival, longer * seconds));
    const turns = await takeTurns(variants, { title: scenario, rounds: Math.ceil((rounds * 3) / 5), say });
    await stopAll(rivals);
    return toTable(turns, named);
  },
};

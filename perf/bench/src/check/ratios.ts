import type { Row } from '../report/row.ts';

/** CPU per request, requests or events a second, or milliseconds. Only for throughput more is better. */
type Figure = 'cpu' | 'throughput' | 'latency';

export type RatioKind = {
  name: string;
  /** The scenario of the benchmark that measures both sides, by its name on the command line. */
  scenario: keyof typeof titles;
  figure: Figure;
  of: string;
  to: string;
  /** What a new baseline allows, as a share of the ratio. perf/README.md says where these come from. */
  margin: number;
};

/** The scenarios' names in their rows. */
const titles = {
  hit: 'check, cache hit',
  latency: 'check, 100/s open loop',
  webhook: 'webhook accepted',
  lone: 'lone event, 100/s open loop',
  worker: 'backlog of events',
};

const api = 'our API';
const [httpCheck, fastifyCheck] = ['node:http, same work', 'Fastify, same work'];
const fastifyWebhook = 'Fastify, verify and add';
const [both, lean] = ['our API and worker', 'lean worker'];
const [worker, empty] = ['our worker', 'BullMQ, empty handler'];

type KindRow = [
  name: string,
  scenario: RatioKind['scenario'],
  figure: Figure,
  of: string,
  to: string,
  margin: number,
];

/** Every ratio that the check compares. A new one is a row here and needs a new baseline. */
const kindRows: readonly KindRow[] = [
  ['check hit, CPU ÷ node:http', 'hit', 'cpu', api, httpCheck, 0.25],
  ['check hit, rate ÷ Fastify', 'hit', 'throughput', api, fastifyCheck, 0.35],
  ['check miss p50 ÷ hit p50', 'latency', 'latency', 'our API, miss, p50', 'our API, hit, p50', 0.5],
  ['webhook, CPU ÷ Fastify', 'webhook', 'cpu', api, fastifyWebhook, 0.25],
  ['webhook, rate ÷ Fastify', 'webhook', 'throughput', api, fastifyWebhook, 0.35],
  ['lone event, CPU ÷ lean worker', 'lone', 'cpu', both, lean, 0.25],
  ['lone event, row p50 ÷ lean worker', 'lone', 'latency', `${both}: row, p50`, `${lean}: row, p50`, 0.5],
  ['visible p95 ÷ row p95', 'lone', 'latency', 'visible, p95', `${both}: row, p95`, 0.6],
  ['backlog, CPU ÷ empty handler', 'worker', 'cpu', worker, empty, 0.3],
  ['backlog, rate ÷ empty handler', 'worker', 'throughput', worker, empty, 0.35],
  ['backlog, rate ÷ sync engine', 'worker', 'throughput', worker, 'sync engine', 0.35],
];

export const ratioKinds: readonly RatioKind[] = kindRows.map(([name, scenario, figure, of, to, margin]) => ({
  name,
  scenario,
  figure,
  of,
  to,
  margin,
}));

function figureOf(rows: readonly Row[], { scenario, figure }: RatioKind, name: string): number | undefined {
  const row = rows.find((candidate) => candidate.scenario === titles[scenario] && candidate.name === name);
  return figure === 'cpu' ? row?.cpuMicros : row?.value.median;
}

/** One run's ratio; `value` undefined: a side is missing, or not above 0. */
export type Ratio = Pick<RatioKind, 'name' | 'scenario' | 'margin'> & {
  better: 'higher' | 'lower';
  value: number | undefined;
};

export function readRatios(rows: readonly Row[], kinds: readonly RatioKind[] = ratioKinds): Ratio[] {
  return kinds.map((kind) => {
    const value = (figureOf(rows, kind, kind.of) ?? 0) / (figureOf(rows, kind, kind.to) ?? 0);
    const { name, scenario, margin, figure } = kind;
    const better = figure === 'throughput' ? 'higher' : 'lower';
    return { name, scenario, margin, better, value: Number.isFinite(value) && value > 0 ? value : undefined };
  });
}

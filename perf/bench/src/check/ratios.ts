import type { Row } from '../report/row.ts';

/** CPU per request, requests or events a second, or milliseconds. Of throughput more is better, of the others less. */
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

/** What the scenarios call themselves in their rows. */
const titles = {
  hit: 'check, cache hit',
  latency: 'check, 100/s open loop',
  webhook: 'webhook accepted',
  worker: 'worker, backlog',
  visible: 'webhook → right read, 100/s',
};

const api = 'our API';
const [bareCheck, fastifyCheck] = ['bare node:http', 'Fastify, same work'];
const fastifyWebhook = 'Fastify, verify and add';
const [worker, empty] = ['our worker', 'BullMQ, empty handler'];

/** All that the check compares. A new one is a row here and a new baseline. */
export const ratioKinds: readonly RatioKind[] = [
  { name: 'check hit, CPU ÷ bare', scenario: 'hit', figure: 'cpu', of: api, to: bareCheck, margin: 0.35 },
  {
    name: 'check hit, CPU ÷ Fastify',
    scenario: 'hit',
    figure: 'cpu',
    of: api,
    to: fastifyCheck,
    margin: 0.25,
  },
  {
    name: 'check hit, rate ÷ bare',
    scenario: 'hit',
    figure: 'throughput',
    of: api,
    to: bareCheck,
    margin: 0.4,
  },
  {
    name: 'check hit, rate ÷ Fastify',
    scenario: 'hit',
    figure: 'throughput',
    of: api,
    to: fastifyCheck,
    margin: 0.35,
  },
  {
    name: 'check miss p50 ÷ hit p50',
    scenario: 'latency',
    figure: 'latency',
    of: 'our API, miss, p50',
    to: 'our API, hit, p50',
    margin: 0.5,
  },
  {
    name: 'webhook, CPU ÷ Fastify',
    scenario: 'webhook',
    figure: 'cpu',
    of: api,
    to: fastifyWebhook,
    margin: 0.25,
  },
  {
    name: 'webhook, rate ÷ Fastify',
    scenario: 'webhook',
    figure: 'throughput',
    of: api,
    to: fastifyWebhook,
    margin: 0.35,
  },
  {
    name: 'worker, CPU ÷ empty handler',
    scenario: 'worker',
    figure: 'cpu',
    of: worker,
    to: empty,
    margin: 0.3,
  },
  {
    name: 'worker, rate ÷ empty handler',
    scenario: 'worker',
    figure: 'throughput',
    of: worker,
    to: empty,
    margin: 0.35,
  },
  {
    name: 'visible p95 ÷ accepted p95',
    scenario: 'visible',
    figure: 'latency',
    of: 'visible, p95',
    to: 'accepted, p95',
    margin: 0.6,
  },
];

function figureOf(rows: readonly Row[], { scenario, figure }: RatioKind, name: string): number | undefined {
  const row = rows.find((candidate) => candidate.scenario === titles[scenario] && candidate.name === name);
  return figure === 'cpu' ? row?.cpuMicros : row?.value.median;
}

/** What one run showed; undefined: a side is missing, or not a number above 0. */
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

import { Registry } from 'prom-client';

/** What the `Accept` of a scrape must name; a weight of 0 refuses it. */
const openMetrics = /application\/openmetrics-text(?![^,]*;\s*q=0(?:\.0*)?\s*(?:[,;]|$))/i;

type Labels = Readonly<Record<string, string>>;

/** For each bucket of some histograms the last value of a traced request, and its trace. Histograms by name. */
export type Exemplars<Name extends string> = {
  note: (histogram: Name, observed: { labels?: Labels; value: number; traceId: string }) => void;
  /** By series, as Prometheus' text names it. */
  read: () => ReadonlyMap<string, string>;
};

const escapeValue = (value: string): string =>
  value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('"', String.raw`\"`);

const labelsText = (labels: Labels): string =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeValue(value)}"`)
    .join(',')}}`;

/**
 * Kept beside prom-client, whose exemplars need a registry that speaks nothing but OpenMetrics. Labels go in the order in which
 * the histogram was given them; there are as many exemplars as series at most.
 */
export function createExemplars<Name extends string>(
  buckets: Readonly<Record<Name, readonly number[]>>,
): Exemplars<Name> {
  const kept = new Map<string, string>();
  return {
    note(histogram, { labels = {}, value, traceId }) {
      const bound = buckets[histogram].find((one) => value <= one);
      const series = `${histogram}_bucket${labelsText({ le: bound === undefined ? '+Inf' : String(bound), ...labels })}`;
      kept.set(series, ` # ${labelsText({ trace_id: traceId })} ${value} ${Date.now() / 1_000}`);
    },
    read: () => kept,
  };
}

export type RenderedMetrics = { contentType: string; text: string };

type Scrape = { accept: string | undefined; text: string };

/**
 * The metrics as the scrape asks for them: Prometheus' text, or OpenMetrics with the exemplars of this process. `text`:
 * Prometheus' text, of all processes where there are several.
 */
export function renderMetrics(
  { registry, exemplars }: { registry: Registry; exemplars: Pick<Exemplars<never>, 'read'> },
  { accept, text }: Scrape,
): RenderedMetrics {
  if (accept === undefined || !openMetrics.test(accept)) return { contentType: registry.contentType, text };
  return { contentType: Registry.OPENMETRICS_CONTENT_TYPE, text: toOpenMetrics(text, exemplars.read()) };
}

/**
 * prom-client's own rendering renames the counters of a registry for good. All that differs here: a counter's family is
 * named without `_total`, there are exemplars, no empty lines, and an end.
 */
function toOpenMetrics(text: string, exemplars: ReadonlyMap<string, string>): string {
  const lines = text.split('\n').filter((line) => line !== '');
  const written = lines.map((line) =>
    line.startsWith('#')
      ? line.replace(/^(# (?:HELP|TYPE) \S+)_total /, '$1 ')
      : line + (exemplars.get(line.slice(0, line.lastIndexOf(' '))) ?? ''),
  );
  return `${written.join('\n')}\n# EOF\n`;
}

import type { Goal } from './goal.ts';
import { shares } from './row.ts';
import type { Row } from './row.ts';

const number = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);

const micros = (value: number): string => Math.round(value).toLocaleString('en');

const versionsOf = (rows: readonly Row[]): string[] => [...new Set(rows.flatMap(({ node }) => node ?? []))];

/** A column for each Node when there are several. */
const withNode = (rows: readonly Row[]): { head: string[]; cell: (row: Row) => string[] } =>
  versionsOf(rows).length > 1
    ? { head: ['Node'], cell: ({ node = '' }) => [node] }
    : { head: [], cell: () => [] };

const keyOf = ({ path, figure }: Pick<Goal, 'path' | 'figure'>): string => `${path}|${figure}`;

/** Every goal, and what was reached on each Node. */
export function formatGoals(rows: readonly Row[]): string {
  const versions = versionsOf(rows);
  const found = rows.flatMap(({ goals = [], node = '' }) => goals.map((goal) => ({ ...goal, node })));
  const firsts = [...new Map(found.toReversed().map((goal) => [keyOf(goal), goal])).values()].toReversed();
  const body = firsts.map((goal) => [
    goal.path,
    goal.figure,
    goal.bound,
    ...versions.map((version) => {
      const here = found.find(({ node, ...other }) => node === version && keyOf(other) === keyOf(goal));
      return here === undefined ? '' : `${number(here.reached)} ${here.isMet ? 'met' : 'NOT MET'}`;
    }),
  ]);
  return alignTable(['path', 'figure', 'goal', ...versions.map((version) => `Node ${version}`)], body);
}

const spread = ({ value }: Row): string =>
  value.least === value.greatest ? '' : `${number(value.least)}–${number(value.greatest)}`;

const withSpread = (row: Row): string =>
  spread(row) === '' ? number(row.value.median) : `${number(row.value.median)} (${spread(row)})`;

/** CPU first, then the rate, then what it is of the scenario's reference. */
export function formatCosts(rows: readonly Row[]): string {
  const { head, cell } = withNode(rows);
  const body = rows
    .filter(({ share }) => share === undefined)
    .map((row) => [
      ...cell(row),
      row.scenario,
      row.name,
      row.cpuMicros === undefined ? '' : micros(row.cpuMicros),
      Object.entries(row.cpu ?? {})
        .map(([process, used]) => `${process} ${micros(used)}`)
        .join(' · '),
      `${number(row.value.median)} ${row.unit}`,
      spread(row),
      row.ratio === undefined ? '' : row.ratio.toFixed(2),
    ]);
  const columns = ['scenario', 'variant', 'CPU µs', 'by process', 'median', 'rounds', 'ratio'];
  return alignTable([...head, ...columns], body);
}

/** The percentiles of each variant side by side, with the lowest and the highest round. */
export function formatLatencies(rows: readonly Row[]): string {
  const { head, cell } = withNode(rows);
  const body = rows
    .filter(({ share }) => share === shares[0])
    .map((first) => {
      const name = first.name.replace(`, ${shares[0]}`, '');
      const beside = shares.map((share) =>
        rows.find(
          (row) =>
            row.scenario === first.scenario && row.node === first.node && row.name === `${name}, ${share}`,
        ),
      );
      const figures = beside.map((row) => (row === undefined ? '' : withSpread(row)));
      return [...cell(first), first.scenario, name, ...figures];
    });
  return alignTable([...head, 'scenario', 'ms', ...shares], body);
}

/** What each variant does, once. */
export function formatVariants(rows: readonly Row[]): string {
  const lines = rows.flatMap(({ scenario, name, does }) =>
    does === undefined ? [] : [`- ${scenario}: **${name}** ${does}`],
  );
  return [...new Set(lines)].join('\n');
}

/** A Markdown table whose columns also line up in a terminal. */
export function alignTable(heads: readonly string[], body: readonly (readonly string[])[]): string {
  const lines = [heads, ...body];
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const [first = '', ...rest] = lines.map(
    (line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [first, rule, ...rest].join('\n');
}

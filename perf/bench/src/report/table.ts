import type { Goal, Row } from './row.ts';

const number = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);

function goalText({ text, isMet, reached }: Goal): string {
  return `${isMet ? 'met' : 'NOT MET'}: ${text} (${number(reached)})`;
}

function cells({ scenario, name, unit, value, ratio, cpuMicros, goals = [] }: Row): string[] {
  return [
    scenario,
    name,
    `${number(value.median)} ${unit}`,
    value.least === value.greatest ? '' : `${number(value.least)}–${number(value.greatest)}`,
    ratio === undefined ? '' : ratio.toFixed(2),
    cpuMicros === undefined ? '' : String(Math.round(cpuMicros)),
    goals.map(goalText).join('; '),
  ];
}

const heading = ['scenario', 'variant', 'median', 'rounds', 'ratio', 'CPU µs', 'goals'];

export const formatTable = (rows: readonly Row[]): string => alignTable(heading, rows.map(cells));

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

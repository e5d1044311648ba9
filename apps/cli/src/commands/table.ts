/** Removes what could move the cursor or forge a line. */
export const printable = (value: string): string => value.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');

export type Cell = string | number | boolean | null | undefined | readonly string[];

export function cellText(cell: Cell): string {
  if (cell === null || cell === undefined || cell === '') return '–';
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no';
  if (typeof cell === 'object') return cell.length === 0 ? '–' : printable(cell.join(', '));
  return printable(String(cell));
}

const width = (text: string): number => Array.from(text).length;

/** Rows under their headings, aligned; the last column may be long. */
export function renderTable(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [headings.map((heading) => heading.toUpperCase()), ...rows.map((row) => row.map(cellText))];
  const widths = headings.map((_heading, column) =>
    Math.max(...lines.map((line) => width(line[column] ?? ''))),
  );
  const pad = (text: string, column: number): string =>
    column === headings.length - 1 ? text : text + ' '.repeat((widths[column] ?? 0) - width(text));
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}

/** The table in a list, for joining; an empty list where there are no rows. */
export const tableIfAny = (headings: readonly string[], rows: readonly (readonly Cell[])[]): string[] =>
  rows.length === 0 ? [] : [renderTable(headings, rows)];

/** A field a line, names aligned. */
export function renderFields(fields: Readonly<Record<string, Cell>>): string {
  const longest = Math.max(...Object.keys(fields).map(width));
  return Object.entries(fields)
    .map(([name, cell]) => `${name.padEnd(longest)}  ${cellText(cell)}`)
    .join('\n');
}

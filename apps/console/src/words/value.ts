const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value within another one: on one line. */
function inLine(value: unknown): string {
  if (Array.isArray(value)) return value.map(inLine).join(', ');
  if (!isRecord(value)) return typeof value === 'string' ? value : JSON.stringify(value);
  const fields = Object.entries(value).map(([name, one]) => `${name} ${inLine(one)}`);
  return `(${fields.join(', ')})`;
}

/** A value of any shape for people: its fields line by line, a list with commas, what is not there as a dash. */
export function valueWords(value: unknown): string {
  if (value === undefined || value === null || value === '') return '–';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : inLine(value);
  if (!isRecord(value)) return inLine(value);
  const lines = Object.entries(value).map(([name, one]) => `${name}: ${inLine(one)}`);
  return lines.length === 0 ? 'none' : lines.join('\n');
}

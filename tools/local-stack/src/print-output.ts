import { stripVTControlCharacters, styleText } from 'node:util';
import { z } from 'zod';
import type { ProgramName } from './processes.ts';

type Colour = Parameters<typeof styleText>[0];

const nameColours = { api: 'cyan', worker: 'magenta', stripe: 'green', console: 'blue' } as const;
const levelColours: Record<string, Colour> = { WARN: 'yellow', ERROR: 'red' };

/** As the logger's `pretty` format writes it. */
const prettyLine = /^(?<time>\d{4}-\d\d-\d\dT\S+Z) (?<level>[A-Z]+) +\[\w+\] (?<text>.*)$/;
const jsonLine = z.looseObject({ time: z.iso.datetime(), event: z.string() });

/** The lines of Node's watcher, by their beginnings; the rest of the wording differs between Node's versions. */
const watcherLines: [beginning: string, meaning: string | null][] = [
  ['Restarting ', 'A file changed: restarting.'],
  ['Failed running ', 'Ended with an error. Waiting for the next change of a file.'],
  ['Completed running ', 'Ended. Waiting for the next change of a file.'],
  ['Waiting for graceful termination', null],
  ['Gracefully restarted ', null],
];

type PrinterOptions = { write: (line: string) => void; hasColours: boolean };

/**
 * Shows the output of several processes to a person: each line after the name of its process, with the local time of
 * day. The printer takes output piece by piece.
 */
export function createPrinter({ write, hasColours }: PrinterOptions) {
  const paint = (colour: Colour | undefined, text: string): string =>
    hasColours && colour !== undefined ? styleText(colour, text) : text;
  /** The last line of each process, as long as its end is missing. */
  const unfinished = new Map<ProgramName, string>();

  /** Null: the line is not shown. */
  function readable(line: string): string | null {
    const { time, level = 'INFO', text } = prettyLine.exec(line)?.groups ?? fieldsOf(line);
    if (time !== undefined) {
      const clock = new Date(time).toTimeString().slice(0, 8);
      return `${paint('dim', clock)} ${paint(levelColours[level], `${level.padEnd(5)} ${text}`)}`;
    }
    const note = watcherLines.find(([beginning]) => line.startsWith(beginning));
    if (note !== undefined) return note[1];
    return line.trim() === '' ? null : line;
  }

  return (name: ProgramName, text: string): void => {
    const lines = `${unfinished.get(name) ?? ''}${text}`.split('\n');
    unfinished.set(name, lines.pop() ?? '');
    for (const line of lines) {
      const shown = readable(stripVTControlCharacters(line));
      if (shown !== null) write(`${paint(nameColours[name], name.padEnd(7))} ${shown}\n`);
    }
  };
}

/** A line of JSON, as the offline Stripe writes it, in the logger's words. */
function fieldsOf(line: string): Partial<Record<'time' | 'level' | 'text', string>> {
  if (!line.startsWith('{')) return {};
  try {
    const { time, event, ...fields } = jsonLine.parse(JSON.parse(line));
    const rest = Object.entries(fields).map(
      ([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
    return { time, text: event + rest.join('') };
  } catch {
    return {};
  }
}

import { dryRunOut } from '@billing/domain';
import type { DryRunOut } from '@billing/domain';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { z } from 'zod';
import type { AdminClient, Call, TextClient } from './admin-client.ts';
import { CliError } from './cli-error.ts';
import { renderFields, renderTable } from './table.ts';
import type { Cell } from './table.ts';

/** What every command gets. */
export type Context = {
  call: AdminClient;
  /** The same, for answers that are not JSON. */
  callForText: TextClient;
  /** Prints the result. */
  print: (text: string) => void;
  /** Prints a message for people, beside the result. */
  say: (text: string) => void;
  /** Asks a person; null: the terminal is not interactive. */
  ask: (question: string) => Promise<string | null>;
  env: Record<string, string | undefined>;
  /** The file in which `npm start` describes the local stack; the import keeps its place beside it. */
  stackPath: string;
};

/** Options of every command. */
const globals = z.object({ json: z.boolean().default(false), yes: z.boolean().default(false) });

export const globalsOf = (command: Command): z.output<typeof globals> =>
  globals.parse(command.optsWithGlobals());

type Shown<T> = Call & {
  schema: z.ZodType<T>;
  /** The answer's fields, for people. */
  fields: (answer: T) => Readonly<Record<string, Cell>>;
};

/** The option of commands that change something. */
export const dryRunOption = ['--dry-run', 'shows what would change'] as const;

export const isDryRun = (command: Command): boolean => command.opts()['dryRun'] === true;

/** The text of a value; what is absent is nobody or nothing. */
const textOf = (value: unknown): string =>
  value === null || value === undefined ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);

const triedFields = ({ changes, affected_users: users }: DryRunOut): Record<string, Cell> => ({
  ...Object.fromEntries(changes.map((one) => [one.path, `${textOf(one.before)} → ${textOf(one.after)}`])),
  'users concerned': users ?? 'more than 10,000',
});

const asDryRun = ({ body, query, ...call }: Call): Call =>
  call.method === 'DELETE'
    ? { ...call, query: { ...query, dry_run: 'true' } }
    : { ...call, body: { ...body, dry_run: true } };

/**
 * Makes one call and prints the answer: as JSON, or a field a line. With `--dry-run` what the call would change.
 */
export async function callAndShow<T>(
  context: Context,
  command: Command,
  { schema, fields, ...call }: Shown<T>,
): Promise<void> {
  if (isDryRun(command)) {
    const tried = await context.call(dryRunOut, asDryRun(call));
    context.print(globalsOf(command).json ? JSON.stringify(tried) : renderFields(triedFields(tried)));
    return;
  }
  const answer = await context.call(schema, call);
  context.print(globalsOf(command).json ? JSON.stringify(answer) : renderFields(fields(answer)));
}

const paging = z.object({
  limit: z.coerce.number().optional(),
  cursor: z.string().optional(),
  all: z.boolean().default(false),
});

type Listing<T> = {
  schema: z.ZodType<{ data: T[]; next_cursor: string | null }>;
  call: Call;
  headings: readonly string[];
  row: (entry: T) => readonly Cell[];
  /** Printed for an empty list. */
  empty: string;
};

/** Adds the options of every list. */
export const pageable = (command: Command): Command =>
  command
    .option('--limit <n>', 'rows of a page, 1 to 100 (default: 50)')
    .option('--cursor <cursor>', 'where to go on, as the page before said')
    .option('--all', 'all pages');

/** Prints a list: a page of it, or all. */
export async function list<T>(context: Context, command: Command, listing: Listing<T>): Promise<void> {
  const { limit, cursor, all } = paging.parse(command.opts());
  const rows: T[] = [];
  let next: string | null = cursor ?? null;
  const most = all ? Infinity : 1;
  for (let pages = 0; pages < most; pages += 1) {
    const query = { ...listing.call.query, limit: limit ?? (all ? 100 : 50), cursor: next ?? undefined };
    const page = await context.call(listing.schema, { ...listing.call, query });
    rows.push(...page.data);
    next = page.next_cursor;
    if (next === null) break;
  }
  if (globalsOf(command).json) return context.print(JSON.stringify({ data: rows, next_cursor: next }));
  context.print(rows.length === 0 ? listing.empty : renderTable(listing.headings, rows.map(listing.row)));
  if (next !== null) context.say(`There is more: --all, or --cursor ${next}`);
}

/** Asks before what can't be undone, or reaches many users; `--yes` confirms too; a dry run needs none. Throws a CliError otherwise. */
export async function confirm(context: Context, command: Command, what: string): Promise<void> {
  if (globalsOf(command).yes || isDryRun(command)) return;
  const answer = await context.ask(`${what} Type yes to go on: `);
  if (answer === null) throw new CliError('usage', `${what} Pass --yes to confirm.`);
  if (answer.trim().toLowerCase() !== 'yes')
    throw new CliError('usage', 'Not confirmed: nothing was changed.');
}

/** `a,b` → `['a', 'b']`; an empty text is an empty list. */
export const commaList = (text: string): string[] =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** A moment in any form that has a date; a date alone is midnight UTC. */
export function moment(text: string): string {
  const isDated = /^\d{4}-\d{2}-\d{2}(T.+(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  if (!isDated || Number.isNaN(Date.parse(text)))
    throw new InvalidArgumentError('Give a date (2026-12-31) or a timestamp (2026-12-31T12:00:00Z).');
  return new Date(text).toISOString();
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return Number(text);
}

/** A number of hours, fractions allowed. */
export function hours(text: string): number {
  if (!/^\d{1,3}(\.\d{1,6})?$/.test(text)) throw new InvalidArgumentError('Give a number of hours.');
  return Number(text);
}

/** Options that were given, by name. */
export type Filter = Record<string, string | undefined>;

/** Drops the fields that were not given. */
export const given = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** The query of a list, of what was given. */
export const queryOf = (filter: Filter): Record<string, string> =>
  Object.fromEntries(Object.entries(given(filter)).map(([name, value]) => [name, String(value)]));

/** Throws a CliError for a PATCH that changes nothing. */
export function requireChange(patch: Record<string, unknown>): Record<string, unknown> {
  if (Object.keys(patch).length === 0)
    throw new CliError('usage', 'Say what to change; --help lists the options.');
  return patch;
}

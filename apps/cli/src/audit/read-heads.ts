import { createReadStream, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { AuditHead } from '@billing/store';
import { z } from 'zod';
import { CliError } from '../commands/cli-error.ts';
import type { Context } from '../commands/context.ts';

const id = z.string().regex(/^\d{1,18}$/);
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const headLine = z.object({ event: z.literal('audit_head'), id, digest });

/** `<id>:<digest>`. Throws a CliError. */
export function readHead(text: string): AuditHead {
  const [first, second, ...more] = text.split(':');
  const parsed = z.object({ id, digest }).safeParse({ id: first, digest: second });
  if (!parsed.success || more.length > 0)
    throw new CliError('usage', '--head is <id>:<digest>, as the log line audit_head has them.');
  return { id: BigInt(parsed.data.id), digest: parsed.data.digest };
}

/** As a worker writes it in development. */
const prettyLine = /\] audit_head (?:.* )?id=(\d{1,18}) digest=([0-9a-f]{64})\b/;

function headOfLine(line: string): AuditHead | null {
  const [, prettyId, prettyDigest] = prettyLine.exec(line) ?? [];
  if (prettyId !== undefined && prettyDigest !== undefined)
    return { id: BigInt(prettyId), digest: prettyDigest };
  // Other lines need not be JSON, and a log collector may have put something in front.
  const start = line.indexOf('{');
  if (start < 0 || !line.includes('"audit_head"')) return null;
  try {
    const parsed = headLine.safeParse(JSON.parse(line.slice(start)));
    return parsed.success ? { id: BigInt(parsed.data.id), digest: parsed.data.digest } : null;
  } catch {
    return null;
  }
}

/** The heads in the lines of a log. */
export async function readLoggedHeads(input: Readable): Promise<AuditHead[]> {
  const heads = new Map<string, AuditHead>();
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    const head = headOfLine(line);
    // An idle hour says the same again.
    if (head !== null) heads.set(`${head.id}:${head.digest}`, head);
  }
  return [...heads.values()];
}

/** As `readLoggedHeads`, of a file or, for `-`, of standard input. Throws a CliError where there is none. */
export async function readLogFile(path: string): Promise<AuditHead[]> {
  const heads = await readLoggedHeads(path === '-' ? process.stdin : createReadStream(path)).catch(
    (error: unknown) => {
      throw new CliError('usage', `The log can't be read: ${error instanceof Error ? error.message : path}`);
    },
  );
  if (heads.length === 0)
    throw new CliError('usage', 'The log has no line of the event audit_head: was it the log of a worker?');
  return heads;
}

/** What the worker of the stack that `npm start` runs has logged since its start, where that stack's database is meant. */
export async function readHeadsOfStack({
  env,
  stackPath,
}: Pick<Context, 'env' | 'stackPath'>): Promise<AuditHead[]> {
  const path = join(dirname(stackPath), 'logs', 'worker.log');
  const isOther = Boolean(env['DATABASE_URL'] || env['DATABASE_URL_FILE']);
  return isOther || !existsSync(path) ? [] : readLoggedHeads(createReadStream(path));
}

import { readFileSync } from 'node:fs';
import { idProblem } from '@billing/domain';
import { CsvError, parse } from 'csv-parse/sync';
import { z } from 'zod';
import { ImportError } from '@billing/sync';

const record = z.object({ line: z.number(), row: z.record(z.string(), z.string()) });
type Row = { line: number; stripeCustomerId: string; userId: string };

const hint = 'It needs a first line with the columns stripe_customer_id and user_id.';

/**
 * Reads the user of each Stripe customer from a CSV (columns `stripe_customer_id` and `user_id`; others are
 * ignored). Throws an ImportError that names the line.
 */
export function readCustomerList(path: string): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  for (const { line, stripeCustomerId, userId } of readRows(path)) {
    for (const [column, value] of Object.entries({ stripe_customer_id: stripeCustomerId, user_id: userId })) {
      const problem = idProblem(value);
      if (problem !== null) throw new ImportError(`${path}, line ${line}: ${column} ${problem}.`);
    }
    const known = users.get(stripeCustomerId);
    if (known !== undefined && known !== userId)
      throw new ImportError(
        `${path}, line ${line}: ${stripeCustomerId} is given to two users. Leave one of them.`,
      );
    users.set(stripeCustomerId, userId);
  }
  return users;
}

function readRows(path: string): Row[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new ImportError(`The customer list ${path} can't be read. Give the path of an existing file.`);
  }
  return parseRows(path, text).map(({ line, row }) => {
    const { stripe_customer_id: stripeCustomerId, user_id: userId } = row;
    if (stripeCustomerId === undefined || userId === undefined) throw new ImportError(`${path}: ${hint}`);
    return { line, stripeCustomerId, userId };
  });
}

function parseRows(path: string, text: string): z.output<typeof record>[] {
  try {
    const rows: unknown[] = parse(text, { bom: true, columns: true, info: true, skip_empty_lines: true });
    const withLine = z.object({ record: z.unknown(), info: z.object({ lines: z.number() }) });
    return rows.map((row) => {
      const { record: fields, info } = withLine.parse(row);
      return record.parse({ line: info.lines, row: fields });
    });
  } catch (error) {
    if (error instanceof CsvError)
      throw new ImportError(`${path} is no usable CSV: ${error.message} ${hint}`);
    throw error;
  }
}

import { verifyAudit } from '@billing/store';
import type { AuditHead, AuditVerification } from '@billing/store';
import type { Context } from '../commands/context.ts';
import { withDatabase } from '../with-database.ts';
import { readHead, readHeadsOfStack, readLogFile } from './read-heads.ts';
import type { VerificationReport } from './report.ts';

/** Verifies the audit chain of the database that the environment names. Throws a CliError. */
export async function runVerification(
  context: Pick<Context, 'env' | 'stackPath'>,
  options: { head: readonly string[]; log?: string },
): Promise<VerificationReport> {
  const heads = [
    ...options.head.map(readHead),
    ...(options.log === undefined ? await readHeadsOfStack(context) : await readLogFile(options.log)),
  ];
  return toReport(await withDatabase(context, (database) => verifyAudit(database, heads)), heads);
}

const toReport = (
  { rows, erased, head, problem }: AuditVerification,
  heads: readonly AuditHead[],
): VerificationReport => ({
  is_whole: problem === null,
  rows,
  erased,
  heads_compared: heads.length,
  head: { id: String(head.id), digest: head.digest },
  problem: problem === null ? null : { audit_id: String(problem.id), what: problem.what },
});

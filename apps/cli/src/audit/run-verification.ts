import { verifyAudit } from '@billing/store';
import type { AuditHead, AuditProblem, AuditVerification } from '@billing/store';
import type { Context } from '../commands/context.ts';
import { withDatabase } from '../with-database.ts';
import { readHead, readLogFile } from './read-heads.ts';

/** What `--json` prints. */
export type VerificationReport = {
  is_whole: boolean;
  rows: number;
  erased: number;
  heads_compared: number;
  head: { id: string; digest: string };
  problem: { audit_id: string; what: AuditProblem['what'] } | null;
};

const says: Record<AuditProblem['what'], string> = {
  row_missing: 'it is missing',
  row_changed: 'it was changed',
  row_before_changed: 'it does not follow the row before: that one was changed',
  readable_part_missing: 'its readable part is missing',
  readable_part_changed: 'its readable part was changed, and not erased',
  not_as_logged:
    'it is not the one whose digest was logged: it or a row before was changed, and all after it rewritten',
  head_changed: 'it is the last row, but not the one that the database notes as the last',
};

/** Verifies the audit chain of the database that the environment names. Throws a CliError. */
export async function runVerification(
  context: Pick<Context, 'env' | 'stackPath'>,
  options: { head: readonly string[]; log?: string },
): Promise<{ report: VerificationReport; text: string }> {
  const heads = [
    ...options.head.map(readHead),
    ...(options.log === undefined ? [] : await readLogFile(options.log)),
  ];
  const report = toReport(await withDatabase(context, (database) => verifyAudit(database, heads)), heads);
  return { report, text: toText(report) };
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

function toText({ rows, erased, heads_compared, head, problem }: VerificationReport): string {
  if (problem !== null) return `Broken at row ${problem.audit_id}: ${says[problem.what]}.`;
  return [
    `Whole: ${rows} rows, ${erased} of them erased, ${heads_compared} logged heads compared.`,
    `Head: ${head.id}:${head.digest}`,
  ].join('\n');
}

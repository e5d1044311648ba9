import { auditProblemWords } from '@billing/domain';
import type { AuditProblemCode } from '@billing/domain';

/** What `audit verify --json` prints. */
export type VerificationReport = {
  is_whole: boolean;
  rows: number;
  erased: number;
  heads_compared: number;
  head: { id: string; digest: string };
  problem: { audit_id: string; what: AuditProblemCode } | null;
};

/** The same for people. */
export function textOfReport({ rows, erased, heads_compared, head, problem }: VerificationReport): string {
  if (problem !== null) return `Broken at row ${problem.audit_id}: ${auditProblemWords[problem.what]}.`;
  return [
    `Whole: ${rows} rows, ${erased} of them erased, ${heads_compared} logged heads compared.`,
    `Head: ${head.id}:${head.digest}`,
  ].join('\n');
}

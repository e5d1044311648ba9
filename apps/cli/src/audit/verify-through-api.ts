import { auditVerificationOut } from '@billing/domain';
import type { Context } from '../commands/context.ts';
import type { VerificationReport } from './report.ts';

/** Verifies the audit chain without a connection to the database, call by call; no logged head is compared. */
export async function verifyThroughApi({ call }: Pick<Context, 'call'>): Promise<VerificationReport> {
  let sum = { rows: 0, erased: 0 };
  let query: Record<string, string> = {};
  for (;;) {
    const found = await call(auditVerificationOut, { path: '/admin/audit/verify', query });
    sum = { rows: sum.rows + found.rows, erased: sum.erased + found.erased };
    query = { after: found.head };
    if (found.has_more) continue;
    const [id = '', digest = ''] = found.head.split(':');
    const { problem } = found;
    return {
      is_whole: problem === null,
      ...sum,
      heads_compared: 0,
      head: { id, digest },
      problem: problem === null ? null : { audit_id: problem.audit_id, what: problem.what },
    };
  }
}

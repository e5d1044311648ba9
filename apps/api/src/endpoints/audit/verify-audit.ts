import { auditProblemWords, auditVerificationOut, auditVerifyQuery } from '@billing/domain';
import { verifyNextRows } from '@billing/store';
import type { AuditHead } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';

/** `<id>:<digest>`, as the query's schema has it. */
function headOf(text: string): AuditHead {
  const [id = '0', digest = ''] = text.split(':');
  return { id: BigInt(id), digest };
}

const head = `4711:${'0f'.repeat(32)}`;

export const verifyAudit = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/audit/verify',
  operationId: 'verifyAudit',
  tag: 'Records',
  summary: 'Whether the audit log is as it was written',
  description:
    'Follows the chain of digests from a row on, a thousand rows a call: ask again with `after` as long as `has_more`. Where nothing is wrong then, no row was changed or left out. What is not seen: an owner of the database who rewrote the whole chain; compare `head` with the lines `audit_head` of a worker’s log, as `billing audit verify --log` does.',
  access: { admin: 'viewer' },
  query: auditVerifyQuery,
  answers: [
    {
      status: 200,
      description: 'As far as this call looked.',
      schema: auditVerificationOut,
      example: { rows: 1000, erased: 3, head, has_more: true, problem: null },
    },
  ],
  errors: [],
  // On a replica the end of the chain could seem to be another one from call to call.
  handle: async ({ database }, { query: { after } }) => {
    const found = await verifyNextRows(database, {
      after: after === undefined ? undefined : headOf(after),
    });
    const { problem } = found;
    return {
      body: {
        rows: found.rows,
        erased: found.erased,
        head: `${found.head.id}:${found.head.digest}`,
        has_more: found.hasMore,
        problem:
          problem === null
            ? null
            : {
                audit_id: String(problem.id),
                what: problem.what,
                words: `Row ${problem.id}: ${auditProblemWords[problem.what]}.`,
              },
      },
    };
  },
});

import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { Client } from 'pg';
import { listAudit } from '../audit.ts';
import type { Database } from '../create-database.ts';
import { readAuditHead } from './read-chain.ts';
import type { AuditHead } from './read-chain.ts';
import { openDatabase, writeGrant } from './audit-chain.test-support.ts';
import { verifyAudit } from './verify-audit.ts';

/** A log of eight rows on a database of its own, as the service role and as the owner of the tables. */
async function withLog(
  work: (database: Database, owner: Client, ids: bigint[]) => Promise<void>,
): Promise<void> {
  const place: TestDatabase = await createTestDatabase();
  const database = openDatabase(place.url);
  const owner = new Client({ connectionString: place.ownerUrl });
  await owner.connect();
  try {
    for (let row = 0; row < 8; row += 1) await writeGrant(database, { id: `grant_${row}` });
    const { rows } = await listAudit(database, { limit: 100 });
    await work(database, owner, rows.map(({ id }) => id).toReversed());
  } finally {
    await owner.end();
    await database.$disconnect();
    await place.drop();
  }
}

const problemOf = async (database: Database, heads: AuditHead[] = []) =>
  (await verifyAudit(database, heads)).problem;

/** As an owner may who wants to hide something: triggers do not run. */
async function tamper(owner: Client, ...statements: string[]): Promise<void> {
  await owner.query("SET session_replication_role = 'replica'");
  for (const statement of statements) await owner.query(statement);
  await owner.query("SET session_replication_role = 'origin'");
}

const redigest = (where: string): string =>
  `UPDATE public.audit_log l SET digest = public.audit_entry_digest(l) WHERE ${where}`;

/** Makes the chain from row 4 on anew, as if it had always been so. */
const rewriteFrom4 = [
  ...[4, 5, 6, 7, 8].flatMap((id) => [
    `UPDATE public.audit_log l SET previous_digest = (SELECT digest FROM public.audit_log WHERE id = ${id - 1}) WHERE id = ${id}`,
    redigest(`id = ${id}`),
  ]),
  'UPDATE public.audit_head SET digest = (SELECT digest FROM public.audit_log WHERE id = 8)',
];

const subjectOf4 = '(SELECT subject FROM public.audit_log WHERE id = 4)';

describe('a log of eight rows', () => {
  it('is whole, and its ids follow each other', async () => {
    await withLog(async (database, _owner, ids) => {
      expect(ids).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]);
      const head = await readAuditHead(database);
      expect(await verifyAudit(database, head === null ? [] : [head])).toEqual({
        rows: 8,
        erased: 0,
        head,
        problem: null,
      });
    });
  });

  it('is whole after an erasure, which leaves no readable part, and is done once', async () => {
    await withLog(async (database) => {
      const erase = () =>
        database.$queryRaw<{ done: boolean }[]>`
          SELECT public.erase_audit_subject(subject) AS done FROM public.audit_subjects WHERE target_id = 'grant_3'`;
      expect(await erase()).toEqual([{ done: true }]);
      expect(await erase()).toEqual([]);
      expect(await verifyAudit(database, [])).toMatchObject({ rows: 8, erased: 1, problem: null });
      const { rows } = await listAudit(database, { limit: 100 });
      expect(rows.find(({ id }) => id === 4n)).toMatchObject({
        actor: 'ann',
        targetId: null,
        reason: null,
        details: {},
        erasedAt: expect.any(Date),
      });
    });
  });

  it.each<[what: string, statements: string[], problem: { id: bigint; what: string }]>([
    [
      'a changed row',
      ["UPDATE public.audit_log SET actor = 'eve' WHERE id = 4"],
      { id: 4n, what: 'row_changed' },
    ],
    [
      'a time moved by a millisecond',
      ["UPDATE public.audit_log SET at = at + interval '1 ms' WHERE id = 4"],
      { id: 4n, what: 'row_changed' },
    ],
    [
      'a changed row with a digest that fits it',
      ["UPDATE public.audit_log SET actor = 'eve' WHERE id = 4", redigest('id = 4')],
      { id: 5n, what: 'row_before_changed' },
    ],
    ['a deleted row', ['DELETE FROM public.audit_log WHERE id = 4'], { id: 4n, what: 'row_missing' }],
    ['a deleted first row', ['DELETE FROM public.audit_log WHERE id = 1'], { id: 1n, what: 'row_missing' }],
    ['a deleted last row', ['DELETE FROM public.audit_log WHERE id = 8'], { id: 8n, what: 'row_missing' }],
    ['an emptied log', ['TRUNCATE public.audit_log'], { id: 1n, what: 'row_missing' }],
    [
      'a deleted last row, with a head that fits',
      [
        'DELETE FROM public.audit_log WHERE id = 8',
        'UPDATE public.audit_head SET id = 7, digest = (SELECT digest FROM public.audit_log WHERE id = 7)',
        "INSERT INTO public.audit_log (id, actor, action, target_type, subject, subject_digest, previous_digest, digest) SELECT 8, 'eve', action, target_type, gen_random_uuid(), subject_digest, digest, digest FROM public.audit_log WHERE id = 7",
        'UPDATE public.audit_head SET id = 8',
      ],
      { id: 8n, what: 'row_changed' },
    ],
    [
      'a row after the head that fits the last one',
      [
        "INSERT INTO public.audit_log (id, actor, action, target_type, subject, subject_digest, previous_digest, digest) SELECT 9, 'eve', action, target_type, gen_random_uuid(), subject_digest, digest, digest FROM public.audit_log WHERE id = 8",
        'INSERT INTO public.audit_subjects (subject, erased_at) SELECT subject, now() FROM public.audit_log WHERE id = 9',
        redigest('id = 9'),
      ],
      { id: 9n, what: 'head_changed' },
    ],
    [
      'two rows that changed places',
      [
        'UPDATE public.audit_log SET id = CASE id WHEN 4 THEN 50 ELSE 4 END WHERE id IN (4, 5)',
        'UPDATE public.audit_log SET id = 5 WHERE id = 50',
      ],
      { id: 4n, what: 'row_before_changed' },
    ],
    [
      'a changed reason',
      [`UPDATE public.audit_subjects SET reason = 'other' WHERE subject = ${subjectOf4}`],
      { id: 4n, what: 'readable_part_changed' },
    ],
    [
      'a readable part of another row',
      [
        `UPDATE public.audit_subjects SET (salt, target_id) = (SELECT salt, target_id FROM public.audit_subjects WHERE target_id = 'grant_6') WHERE subject = ${subjectOf4}`,
      ],
      { id: 4n, what: 'readable_part_changed' },
    ],
    [
      'a deleted readable part',
      [`DELETE FROM public.audit_subjects WHERE subject = ${subjectOf4}`],
      { id: 4n, what: 'readable_part_missing' },
    ],
    [
      'another head',
      ["UPDATE public.audit_head SET digest = decode(repeat('ab', 32), 'hex')"],
      { id: 8n, what: 'head_changed' },
    ],
    ['no head', ['DELETE FROM public.audit_head'], { id: 8n, what: 'head_changed' }],
  ])('%s, by the owner, is found and named', async (what, statements, problem) => {
    await withLog(async (database, owner) => {
      await tamper(
        owner,
        'ALTER TABLE public.audit_log DROP CONSTRAINT IF EXISTS audit_log_subject_fkey',
        ...statements,
      );
      expect([what, await problemOf(database)]).toEqual([what, problem]);
    });
  });

  it('that the owner rewrote as a whole is found out by a head that was logged before, and by none after', async () => {
    await withLog(async (database, owner) => {
      const before = await readAuditHead(database);
      if (before === null) throw new Error('there is a head');
      await tamper(owner, "UPDATE public.audit_log SET actor = 'eve' WHERE id = 4", ...rewriteFrom4);
      expect(await problemOf(database)).toBeNull();
      expect(await problemOf(database, [before])).toEqual({ id: 8n, what: 'not_as_logged' });
      await tamper(
        owner,
        'DELETE FROM public.audit_log WHERE id = 8',
        'UPDATE public.audit_head SET id = 7, digest = (SELECT digest FROM public.audit_log WHERE id = 7)',
      );
      expect(await problemOf(database)).toBeNull();
      expect(await problemOf(database, [before])).toEqual({ id: 8n, what: 'row_missing' });
    });
  });

  it('goes on as a chain when a process of an older version adds a row', async () => {
    await withLog(async (database) => {
      const rows = await database.$queryRaw<
        { id: bigint; target_id: string; reason: string | null; details: unknown }[]
      >`
        INSERT INTO public.audit_log (actor, action, project_id, target_type, target_id, reason, details, request_id)
        VALUES ('bob', 'grant.revoke', 'shop', 'grant', 'grant_old', 'old', '{"user_id":"ann"}'::jsonb, 'request-2')
        RETURNING id, target_id, reason, details`;
      expect(rows).toEqual([{ id: 9n, target_id: '', reason: null, details: {} }]);
      expect(await verifyAudit(database, [])).toMatchObject({ rows: 9, problem: null });
      const { rows: listed } = await listAudit(database, { limit: 1, target_id: 'grant_old' });
      expect(listed).toMatchObject([{ actor: 'bob', reason: 'old', details: { user_id: 'ann' } }]);
    });
  });
});

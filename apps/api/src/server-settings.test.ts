import { dayMs, hourMs, toTimestamp, unknownPurchase, unknownSubscription } from '@billing/domain';
import { claimDuePurchases, claimDueSubscriptions, writeOutcomes } from '@billing/store';
import { createTestDatabase, startTestPooler } from '@billing/testing';
import type { TestDatabase, TestPooler } from '@billing/testing';
import { Client } from 'pg';
import { startTestApi, testAdmin } from './testing/start-test-api.test-support.ts';
import type { TestApi } from './testing/start-test-api.test-support.ts';

/** Start-up parameters that could change a result, and one of those that could not. */
const parameters = ['TimeZone', 'DateStyle', 'statement_timeout'];

/** `null`: no pooler is in between. */
type PoolerKind = 'refuse' | 'ignore' | null;

const cases: { timezone: string; DateStyle: string; isolation: string; pooler: PoolerKind }[] = [
  { timezone: 'Asia/Kolkata', DateStyle: 'SQL, DMY', isolation: 'repeatable read', pooler: null },
  { timezone: 'Asia/Kolkata', DateStyle: 'SQL, DMY', isolation: 'repeatable read', pooler: 'refuse' },
  { timezone: 'Asia/Kolkata', DateStyle: 'German', isolation: 'serializable', pooler: 'ignore' },
  { timezone: 'America/New_York', DateStyle: 'Postgres, MDY', isolation: 'serializable', pooler: null },
  { timezone: 'America/New_York', DateStyle: 'ISO, MDY', isolation: 'read committed', pooler: 'refuse' },
  { timezone: 'UTC', DateStyle: 'ISO, MDY', isolation: 'read committed', pooler: null },
];

/** Within a minute of the test: any zone would be off by much more. */
const isNow = (at: unknown): boolean => Math.abs(Date.parse(String(at)) - Date.now()) < 60_000;

describe.each(cases)(
  'on a database of $timezone, $DateStyle, $isolation (a pooler would: $pooler)',
  ({ timezone, DateStyle, isolation, pooler: kind }) => {
    let database: TestDatabase;
    let pooler: TestPooler | undefined;
    let api: TestApi;
    let projectId: string;
    let apiKey: string;

    beforeAll(async () => {
      database = await createTestDatabase();
      const settings = {
        timezone,
        DateStyle,
        default_transaction_isolation: isolation,
        search_path: 'nowhere',
        lock_timeout: '1ms',
      };
      await inDatabase(async (client) => {
        for (const [name, value] of Object.entries(settings))
          await client.query(
            `ALTER DATABASE ${client.escapeIdentifier(client.database ?? '')} SET ${name} TO '${value}'`,
          );
      });
      const port = Number(new URL(database.url).port);
      if (kind !== null) pooler = await startTestPooler({ port, parameters, does: kind });
      api = await startTestApi({
        database: { ...database, url: pooler?.urlFor(database.url) ?? database.url },
      });
      ({ projectId, apiKey } = await api.createProject());
    });
    afterAll(async () => {
      await api.close();
      await pooler?.close();
      await api.redis.stop();
      await database.drop();
    });

    async function inDatabase<T>(work: (client: Client) => Promise<T>): Promise<T> {
      const client = new Client({ connectionString: database.ownerUrl });
      await client.connect();
      try {
        return await work(client);
      } finally {
        await client.end();
      }
    }

    const asAdmin = (path: string) =>
      api.http().get(`/api/v1/admin/${path}`).set('authorization', `Bearer ${testAdmin.secret}`);

    async function grant(userId: string, times: { valid_from?: string; valid_to?: string }) {
      const { body } = await api
        .http()
        .post('/api/v1/admin/grant')
        .set('authorization', `Bearer ${testAdmin.secret}`)
        .send({ user_id: userId, project_id: projectId, feature_code: 'pro', reason: 'test', ...times })
        .expect(201);
      return body;
    }

    async function entitlementsOf(userId: string) {
      const { body } = await api
        .http()
        .get('/api/v1/entitlements')
        .query({ user_id: userId })
        .set('authorization', `Bearer ${apiKey}`)
        .expect(200);
      return body.entitlements;
    }

    it('a grant of two hours is in force, and ends when it should', async () => {
      const validTo = toTimestamp(Date.now() + 2 * hourMs);
      expect((await grant('two-hours', { valid_to: validTo })).valid_to).toBe(validTo);
      expect(await entitlementsOf('two-hours')).toMatchObject([{ feature_code: 'pro', valid_to: validTo }]);
    });

    it('a grant for tomorrow is not in force today', async () => {
      const validFrom = toTimestamp(Date.now() + dayMs);
      expect((await grant('tomorrow', { valid_from: validFrom })).valid_from).toBe(validFrom);
      expect(await entitlementsOf('tomorrow')).toEqual([]);
    });

    it('a grant from now is in force now', async () => {
      const { valid_from: validFrom, granted_at: grantedAt } = await grant('from-now', {});
      expect([isNow(validFrom), isNow(grantedAt)]).toEqual([true, true]);
      expect(await entitlementsOf('from-now')).toMatchObject([
        { feature_code: 'pro', valid_from: validFrom },
      ]);
    });

    it('Postgres holds the very instants', async () => {
      const from = Date.UTC(2026, 2, 29, 1, 30, 0, 7);
      const to = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
      const { grant_id: grantId } = await grant('exact', {
        valid_from: toTimestamp(from),
        valid_to: toTimestamp(to),
      });
      const { rows } = await inDatabase((client) =>
        client.query<{ from: string; to: string }>(
          `SELECT (extract(epoch FROM valid_from) * 1000)::bigint AS "from", (extract(epoch FROM valid_to) * 1000)::bigint AS "to"
           FROM public.grants WHERE id = $1`,
          [grantId],
        ),
      );
      expect(rows).toEqual([{ from: String(from), to: String(to) }]);
      const stored = await api.deps.database.grant.findUniqueOrThrow({ where: { id: grantId } });
      expect([stored.validFrom.getTime(), stored.validTo?.getTime()]).toEqual([from, to]);
    });

    it('rows in doubt are rechecked when they are due, and not before', async () => {
      const now = Date.now();
      const owned = { hasNewItems: false, owner: null, bumps: [], events: [] };
      const dueAt = { due: now - 60_000, later: now + 60_000 };
      await writeOutcomes(
        api.deps.database,
        Object.entries(dueAt).flatMap(([id, recheckAt]) => [
          {
            kind: 'subscription' as const,
            row: { ...unknownSubscription(`sub_${id}`), recheckAt },
            ...owned,
          },
          { kind: 'purchase' as const, row: { ...unknownPurchase(`pi_${id}`), recheckAt }, ...owned },
        ]),
        { erasureMark: 0 },
      );
      const claim = { now, retryAt: now + 30_000, limit: 10 };
      expect(await claimDueSubscriptions(api.deps.database, claim)).toEqual(['sub_due']);
      expect(await claimDuePurchases(api.deps.database, claim)).toEqual(['pi_due']);
      expect(await claimDueSubscriptions(api.deps.database, claim)).toEqual([]);
      const again = await claimDueSubscriptions(api.deps.database, { ...claim, now: now + 30_001 });
      expect(again).toEqual(['sub_due']);
    });

    it('the times of events and of the audit log are those that they have', async () => {
      const created = Date.UTC(2026, 10, 1, 5, 30, 0);
      const event = {
        eventId: 'evt_times',
        type: 'invoice.paid',
        objectId: 'in_1',
        customerId: null,
        projectId: null,
        apiVersion: null,
        status: 'ignored' as const,
        reason: 'test',
        awaits: null,
        created,
        receivedAt: created + 1,
        processedAt: Date.now(),
        traceId: null,
        payload: {},
      };
      await writeOutcomes(api.deps.database, [{ kind: 'none', events: [event] }], { erasureMark: 0 });
      const { body: events } = await asAdmin('events?object_id=in_1').expect(200);
      expect(events.data).toMatchObject([
        {
          created: toTimestamp(created),
          received_at: toTimestamp(created + 1),
          processed_at: toTimestamp(event.processedAt),
        },
      ]);
      await grant('audited', {});
      const since = encodeURIComponent(toTimestamp(Date.now() - 60_000));
      const { body: audit } = await asAdmin(`audit?action=grant.create&from=${since}&limit=1`).expect(200);
      expect(audit.data).toHaveLength(1);
      expect(isNow(audit.data[0].at)).toBe(true);
    });

    it('an API key is valid until it expires', async () => {
      const statusUntil = async (expiresAt: number): Promise<number> => {
        const key = await api.createApiKey(projectId, { expiresAt: new Date(expiresAt) });
        const asked = api.http().get('/api/v1/entitlements?user_id=nobody');
        return (await asked.set('authorization', `Bearer ${key.apiKey}`)).status;
      };
      expect(await statusUntil(Date.now() + hourMs)).toBe(200);
      expect(await statusUntil(Date.now() - hourMs)).toBe(401);
    });
  },
);

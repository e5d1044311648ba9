import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createTestDatabase, runServices, startPostgres } from '@billing/testing';
import { Client } from 'pg';
import { migrate } from './migrate.ts';

const suffix = randomBytes(4).toString('hex');
/** No superuser, as at most providers. */
const [owner, service] = [`owner_${suffix}`, `service_${suffix}`];

const urlOf = (user: string, database: string): string => {
  const url = new URL(runServices().postgresUrl);
  url.username = user;
  url.pathname = `/${database}`;
  return url.href;
};

async function connected<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
const asRoot = (sql: string) => connected(runServices().postgresUrl, (client) => client.query(sql));
const as = (role: string, ...statements: string[]) =>
  connected(urlOf(role, owner), async (client) => {
    for (const statement of statements) await client.query(statement);
  });
const migrateWith = (serviceUrl: string) => migrate({ databaseUrl: urlOf(owner, owner), serviceUrl });

const insert =
  "INSERT INTO public.audit_log (actor, action, target_type, target_id, reason) VALUES ('ann', 'grant.create', 'grant', 'g', 'r')";

beforeAll(async () => {
  await asRoot(`CREATE ROLE ${owner} LOGIN`);
  await asRoot(`CREATE ROLE ${service} LOGIN`);
  await asRoot(`CREATE DATABASE ${owner} OWNER ${owner}`);
  await asRoot(`REVOKE CONNECT ON DATABASE ${owner} FROM PUBLIC`);
  await migrateWith(urlOf(service, owner));
  await as(service, insert);
});
afterAll(async () => {
  await asRoot(`DROP DATABASE ${owner} WITH (FORCE)`);
  await asRoot(`DROP ROLE ${owner}`);
  await asRoot(`DROP ROLE ${service}`);
});

const code = (statements: string[]): Promise<string> =>
  as(service, ...statements).then(
    () => 'done',
    (error: unknown) => String(Object(error).code),
  );
const notAllowed = '42501';

/** A table of the role's own, shaped as the log, on which the owner's trigger function would run. */
const ownLog = 'CREATE TEMP TABLE mine (LIKE public.audit_log)';

test.each<[what: string, statements: string[]]>([
  ['disable the trigger', ['ALTER TABLE public.audit_log DISABLE TRIGGER ALL']],
  ['disable one trigger', ['ALTER TABLE public.audit_log DISABLE TRIGGER audit_log_is_append_only']],
  ['drop the trigger', ['DROP TRIGGER audit_log_is_append_only ON public.audit_log']],
  ['run without triggers', ["SET session_replication_role = 'replica'"]],
  ['change a row', ["UPDATE public.audit_log SET actor = 'eve'"]],
  ['change a row by an insert', [`${insert} ON CONFLICT (id) DO UPDATE SET actor = 'eve'`]],
  ['delete a row', ['DELETE FROM public.audit_log']],
  ['empty the log', ['TRUNCATE public.audit_log CASCADE']],
  ['drop the log', ['DROP TABLE public.audit_log']],
  ['alter the log', ['ALTER TABLE public.audit_log ALTER COLUMN actor DROP NOT NULL']],
  ['change a reason', ["UPDATE public.audit_subjects SET reason = 'other'"]],
  ['change what an erasure left', ["UPDATE public.audit_subjects SET erased_at = now(), target_id = 'g'"]],
  ['move a readable part', ['UPDATE public.audit_subjects SET subject = gen_random_uuid()']],
  [
    'add a readable part',
    ['INSERT INTO public.audit_subjects (subject, erased_at) VALUES (gen_random_uuid(), now())'],
  ],
  ['delete a readable part', ['DELETE FROM public.audit_subjects']],
  ['change the head', ['UPDATE public.audit_head SET id = 0']],
  [
    'replace a function',
    [
      'CREATE OR REPLACE FUNCTION public.audit_entry_digest(public.audit_log) RETURNS bytea LANGUAGE sql AS $$ SELECT $1.digest $$',
    ],
  ],
  [
    "run the owner's trigger elsewhere",
    [
      ownLog,
      'CREATE TRIGGER mine BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION public.chain_audit_entry()',
    ],
  ],
  ['make a table', ['CREATE TABLE public.mine (id int)']],
  [
    'forge a migration',
    ["INSERT INTO public._prisma_migrations (id, checksum, migration_name) VALUES ('a', 'b', 'c')"],
  ],
  ['become the owner', [`SET ROLE ${owner}`]],
  [
    'grant itself more',
    [`GRANT UPDATE ON public.audit_log TO ${service}`, "UPDATE public.audit_log SET actor = 'eve'"],
  ],
])("the service role can't %s", async (what, statements) => {
  expect([what, await code(statements)]).toEqual([
    what,
    what === 'change what an erasure left' ? '23514' : notAllowed,
  ]);
});

test('the role is named in the result', async () => {
  expect(await migrateWith(urlOf(service, owner))).toEqual({ applied: [], serviceRole: service });
});

test('the service role writes rows, and erases readable parts', async () => {
  expect(await code([insert])).toBe('done');
  expect(await code(['SELECT public.erase_audit_subject(subject) FROM public.audit_subjects'])).toBe('done');
  await as(service, insert);
  const erasure =
    'UPDATE public.audit_subjects SET salt = NULL, target_id = NULL, reason = NULL, details = NULL, erased_at = now()';
  expect(await code([erasure])).toBe('done');
  const { rows } = await connected(urlOf(service, owner), (client) =>
    client.query(
      "SELECT count(*) FILTER (WHERE erased_at IS NULL OR reason = 'r')::int AS kept FROM public.audit_subjects",
    ),
  );
  expect(rows).toEqual([{ kept: 0 }]);
});

test('what the owner makes later is usable at once: tables, and after the next db:migrate functions of the owner', async () => {
  await as(
    owner,
    'CREATE TABLE public.later (id bigserial, month date) PARTITION BY RANGE (month)',
    `CREATE FUNCTION public.make_later(month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
     BEGIN
       EXECUTE format('CREATE TABLE public.%I PARTITION OF public.later FOR VALUES FROM (%L) TO (%L)', 'later_' || to_char(month, 'YYYY_MM'), month, month + interval '1 month');
     END $$`,
  );
  expect(await code(["SELECT public.make_later('2026-11-01')"])).toBe(notAllowed);
  await migrateWith(urlOf(service, owner));
  expect(
    await code([
      "SELECT public.make_later('2026-11-01')",
      "INSERT INTO public.later (month) VALUES ('2026-11-28')",
      'UPDATE public.later_2026_11 SET id = id + 1',
      'DELETE FROM public.later',
    ]),
  ).toBe('done');
  expect(await code(['DROP TABLE public.later_2026_11'])).toBe(notAllowed);
});

test('rights that the role should not have are taken from it again', async () => {
  await as(owner, `GRANT ALL ON public.audit_log, public.audit_head, public.audit_subjects TO ${service}`);
  await migrateWith(urlOf(service, owner));
  expect(await code(['UPDATE public.audit_head SET id = 0'])).toBe(notAllowed);
  expect(await code(['TRUNCATE public.audit_log'])).toBe(notAllowed);
});

describe('a role that protects nothing, or is not there, is refused, and what to do is said', () => {
  const other = `other_${suffix}`;
  beforeAll(() => asRoot(`CREATE ROLE ${other} LOGIN`));
  afterAll(() => asRoot(`DROP ROLE ${other}`));

  it.each<[string, string, RegExp]>([
    ['no role', `DROP ROLE IF EXISTS nobody_${suffix}`, /does not exist: create it/],
    ['a superuser', `ALTER ROLE ${other} SUPERUSER`, /can act as the owner/],
    [
      'a member of the owner',
      `ALTER ROLE ${other} NOSUPERUSER; GRANT ${owner} TO ${other}`,
      /can act as the owner/,
    ],
  ])('%s', async (what, sql, message) => {
    await asRoot(sql);
    const role = what === 'no role' ? `nobody_${suffix}` : other;
    await expect(migrateWith(urlOf(role, owner))).rejects.toThrow(message);
    await asRoot(`REVOKE ${owner} FROM ${other}`);
  });

  it('a role that owns tables', async () => {
    const place = await createTestDatabase();
    const name = new URL(place.ownerUrl).pathname.slice(1);
    await connected(place.ownerUrl, (client) => client.query(`ALTER TABLE public.grants OWNER TO ${other}`));
    const migrated = migrate({ databaseUrl: place.ownerUrl, serviceUrl: urlOf(other, name) });
    await expect(migrated).rejects.toThrow(/owns the table grants: give it to the owner/);
    await place.drop();
  });
});

test('a role that is not there is made with its password, which is in no log of the server', async () => {
  const password = randomBytes(16).toString('hex');
  const server = await startPostgres({
    isVolatile: true,
    password: 'of-the-owner',
    settings: { log_statement: 'all' },
  });
  const url = new URL(server.urlOf('postgres'));
  [url.username, url.password] = ['made "here"', password];
  const migrated = await migrate({ databaseUrl: server.urlOf('postgres'), serviceUrl: url.href });
  expect(migrated.serviceRole).toBe('made "here"');
  await connected(url.href, (client) => client.query(insert));
  const log = readFileSync(server.logFile, 'utf8');
  expect(log).toContain('CREATE ROLE');
  expect(log).not.toContain(password);
  await server.stop();
}, 60_000);

test('the databases of all other tests are used as the service role', async () => {
  const place = await createTestDatabase();
  const { rows } = await connected(place.url, (client) =>
    client.query(
      "SELECT has_table_privilege('public.audit_log', 'UPDATE') AS changes, rolsuper, has_schema_privilege('public', 'CREATE') AS creates FROM pg_roles WHERE rolname = current_user",
    ),
  );
  expect(rows).toEqual([{ changes: false, rolsuper: false, creates: false }]);
  await place.drop();
});

test('with one role for both nothing is granted', async () => {
  expect(await migrateWith(urlOf(owner, owner))).toMatchObject({ serviceRole: null });
});

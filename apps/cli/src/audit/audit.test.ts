import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestApi, testAdmin } from '../../../api/src/testing/start-test-api.test-support.ts';
import type { TestApi } from '../../../api/src/testing/start-test-api.test-support.ts';
import { runBilling } from '../commands/run-billing.ts';

let api: TestApi;
let dir: string;

beforeAll(async () => {
  [api, dir] = await Promise.all([startTestApi(), mkdtemp(join(tmpdir(), 'billing-audit-'))]);
  for (const id of ['one', 'two', 'three']) await createProject(id);
});
afterAll(async () => {
  await api.close();
  await rm(dir, { recursive: true });
});

const createProject = (id: string) =>
  api
    .http()
    .post('/api/v1/admin/projects')
    .set('authorization', `Bearer ${testAdmin.secret}`)
    .send({ project_id: id, name: id })
    .expect(201);

async function audit(args: string[], env: Record<string, string> = {}) {
  const [printed, said]: [string[], string[]] = [[], []];
  const code = await runBilling(['audit', ...args], {
    print: (text) => printed.push(text),
    say: (text) => said.push(text),
    ask: () => Promise.resolve(null),
    env: {
      DATABASE_URL: api.database.url,
      BILLING_URL: api.url,
      BILLING_ADMIN_KEY: testAdmin.secret,
      ...env,
    },
    stackPath: join(dir, 'none.json'),
  });
  return { code, out: printed.join('\n'), said: said.join('\n') };
}

async function logOf(...lines: string[]): Promise<string> {
  const path = join(dir, `log-${lines.length}`);
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

const headLine = (id: string, digest: string): string =>
  `worker-1 | ${JSON.stringify({ service: 'worker', event: 'audit_head', id, digest })}`;

test('a whole log is 0, with its head, which is compared the next time', async () => {
  const first = await audit(['verify', '--json']);
  expect(first.code).toBe(0);
  const { head, ...report } = JSON.parse(first.out);
  expect(report).toEqual({ is_whole: true, rows: 3, erased: 0, heads_compared: 0, problem: null });
  await createProject('four');
  const second = await audit(['verify', '--head', `${head.id}:${head.digest}`]);
  expect(second).toMatchObject({ code: 0, said: '' });
  expect(second.out).toMatch(
    /^Whole: 4 rows, 0 of them erased, 1 logged heads compared\.\nHead: 4:[0-9a-f]{64}$/,
  );
  const log = await logOf('no json', '{"event":"other"}', headLine(head.id, head.digest));
  expect((await audit(['verify', '--log', log])).out).toContain('1 logged heads compared');
  const through = await audit(['verify', '--api'], { DATABASE_URL: '' });
  expect(through.out).toBe(second.out.replace('1 logged', '0 logged'));
  expect(await audit(['verify', '--api', '--log', log])).toMatchObject({ code: 2 });
});

test("heads are read from a developer's log, and of the local stack without being asked to", async () => {
  const { head } = JSON.parse((await audit(['verify', '--json'])).out);
  const pretty = `2026-11-22T10:00:00.000Z INFO  [worker] audit_head job_id=7 job_name=retention id=${head.id} digest=${head.digest}`;
  const log = await logOf(pretty);
  expect((await audit(['verify', '--log', log])).out).toContain('1 logged heads compared');
  await mkdir(join(dir, 'logs'));
  await writeFile(
    join(dir, 'logs', 'worker.log'),
    `${pretty.replace(/=[0-9a-f]{64}/, `=${'ab'.repeat(32)}`)}\n`,
  );
  const stack = {
    database_url: api.database.url,
    redis_url: api.redis.url,
    stripe_url: 'http://127.0.0.1:9',
  };
  await writeFile(join(dir, 'none.json'), JSON.stringify(stack));
  expect(await audit(['verify'], { DATABASE_URL: '' })).toMatchObject({
    code: 1,
    out: expect.stringContaining(`Broken at row ${head.id}`),
  });
  // The log of the local stack says nothing of another database.
  expect(await audit(['verify'])).toMatchObject({ code: 0 });
  await Promise.all([rm(join(dir, 'none.json')), rm(join(dir, 'logs'), { recursive: true })]);
});

test('the export prints lines, and the cursor to go on with beside them', async () => {
  const { code, out, said } = await audit(['export']);
  const actions = out.split('\n').map((line): unknown => JSON.parse(line).action);
  expect([code, actions]).toEqual([0, Array.from({ length: actions.length }, () => 'project.create')]);
  const cursor = /--since (\S+)/.exec(said)?.[1] ?? '';
  await createProject('later');
  const later = await audit(['export', '--since', cursor]);
  expect(later.out.split('\n').map((line): unknown => JSON.parse(line).target_id)).toEqual(['later']);
  expect(await audit(['export', '--since', 'x'])).toMatchObject({ code: 1 });
});

const away = 'postgres://u:hush@127.0.0.1:1/b';

test.each<[what: string, args: string[], answer: { code: number; says: RegExp; url?: string }]>([
  ['a head of another form', ['--head', '7'], { code: 2, says: /--head is <id>:<digest>/ }],
  ['a log that is not there', ['--log', '/no/such/log'], { code: 2, says: /log can't be read/ }],
  ['a log of something else', ['--log', '/dev/null'], { code: 2, says: /no line of the event audit_head/ }],
  ['no database', [], { code: 2, says: /DATABASE_URL/, url: '' }],
  ['a database that is away', [], { code: 3, says: /127\.0\.0\.1:1\/b does not answer/, url: away }],
])('%s ends with its exit code, and says what to do', async (_what, args, { code, says, url }) => {
  const answer = await audit(['verify', ...args], url === undefined ? {} : { DATABASE_URL: url });
  expect(answer).toMatchObject({ code, out: '' });
  expect(answer.said).toMatch(says);
  expect(answer.said).not.toContain('hush');
});

test('a log that the owner changed is 1, and the first bad row is named', async () => {
  const wrong = await audit(['verify', '--head', `2:${'ab'.repeat(32)}`]);
  expect(wrong).toMatchObject({ code: 1, out: expect.stringMatching(/^Broken at row 2: it is not the one/) });
  await api.database.asOwner(
    "ALTER TABLE public.audit_log DISABLE TRIGGER USER; UPDATE public.audit_log SET actor = 'nobody' WHERE id = 3",
  );
  const { code, out, said } = await audit(['verify']);
  expect([code, out]).toEqual([1, 'Broken at row 3: it was changed.']);
  expect(said).toBe('The audit log is not as it was written.');
  expect((await audit(['verify', '--api'])).out).toBe(out);
  expect(JSON.parse((await audit(['verify', '--json'])).out)).toMatchObject({
    is_whole: false,
    problem: { audit_id: '3', what: 'row_changed' },
  });
});

test('the help says which lines of a log to keep', async () => {
  expect((await audit(['verify', '--help'])).out).toContain('audit_head');
});

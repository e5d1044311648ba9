import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { read } from './repository-files.test-support.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const secrets = {
  database: 'hush-database/p@ss',
  redis: 'hush-queue:p@ss',
  cache: 'hush-cache',
  admin: 'hush-admin',
  project: 'hush-project',
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'billing-runbook-'));
  // Programs that write down what they were given.
  for (const name of ['psql', 'redis-cli', 'curl']) {
    const path = join(folder, name);
    const heard = `${folder}/heard`;
    writeFileSync(
      path,
      `#!/bin/sh
echo "$0 $*" >> ${heard}
echo "PGPASSWORD=$PGPASSWORD REDISCLI_AUTH=$REDISCLI_AUTH" >> ${heard}
case $0 in */curl) cat >> ${heard} ;; esac
`,
    );
    chmodSync(path, 0o755);
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(command: string, env: Record<string, string> = {}): { command: string; given: string } {
  const { status, stderr } = spawnSync('sh', ['-euc', `set -o noglob; . deploy/runbook.sh; ${command}`], {
    cwd: root,
    encoding: 'utf8',
    env: {
      PATH: [folder, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
      DATABASE_URL: `postgresql://billing:${encodeURIComponent(secrets.database)}@db:5432/billing?schema=public&sslmode=verify-full`,
      REDIS_URL: `rediss://billing:${encodeURIComponent(secrets.redis)}@queue:6380/2?sslrootcert=/ca.pem`,
      CACHE_REDIS_URL: `redis://:${secrets.cache}@cache`,
      API: 'http://127.0.0.1:8000',
      ADMIN: secrets.admin,
      API_KEY: secrets.project,
      ...env,
    },
  });
  expect([status, stderr]).toEqual([0, '']);
  const [line = '', ...rest] = readFileSync(join(folder, 'heard'), 'utf8').split('\n');
  return { command: line.replace(`${folder}/`, ''), given: rest.join('\n') };
}

test.each([
  [
    'sql -Atc "SELECT 1"',
    'psql postgresql://billing@db:5432/billing?sslmode=verify-full -Atc SELECT 1',
    `PGPASSWORD=${secrets.database} `,
  ],
  [
    'queue_redis info memory',
    'redis-cli --no-auth-warning -h queue -p 6380 -n 2 --user billing --tls --cacert /ca.pem info memory',
    `REDISCLI_AUTH=${secrets.redis}\n`,
  ],
  [
    'cache_redis flushdb',
    'redis-cli --no-auth-warning -h cache -p 6379 flushdb',
    `REDISCLI_AUTH=${secrets.cache}\n`,
  ],
  [
    'admin "$API/api/v1/admin/audit"',
    'curl -sS -H @- http://127.0.0.1:8000/api/v1/admin/audit',
    `Authorization: Bearer ${secrets.admin}`,
  ],
  [
    'project "$API/api/v1/entitlements"',
    'curl -sS -H @- http://127.0.0.1:8000/api/v1/entitlements',
    `Authorization: Bearer ${secrets.project}`,
  ],
])('%s keeps its secret out of the process list', (command, expected, secret) => {
  const heard = run(command);
  expect(heard.command).toBe(expected);
  expect(heard.command).not.toContain('hush');
  expect(heard.given).toContain(secret);
});

test('what has no password asks for none', () => {
  const env = {
    REDIS_URL: 'redis://127.0.0.1:6379',
    DATABASE_URL: 'postgresql://postgres@127.0.0.1/billing',
  };
  expect(run('queue_redis ping', env).command).toBe('redis-cli -h 127.0.0.1 -p 6379 ping');
});

test('the runbook gives no program a secret as an argument', () => {
  const page = read('docs/operations.md');
  expect(page).toContain('. deploy/runbook.sh');
  const commands = [...page.matchAll(/```sh\n([^]*?)```|`([^`\n]+)`/g)].map(
    ([, block, inline]) => block ?? inline,
  );
  const leaky =
    /(?:psql|pg_dump|pg_restore|redis-cli)\b[^\n|]*\$\{?(?:CACHE_)?(?:DATABASE|REDIS)_URL|(?:Bearer|-u|-a) "?\$/;
  expect(commands.length).toBeGreaterThan(100);
  expect(commands.filter((command) => leaky.test(command ?? ''))).toEqual([]);
  expect('psql $DATABASE_URL -c x').toMatch(leaky);
  expect('curl -H "Authorization: Bearer $ADMIN"').toMatch(leaky);
});

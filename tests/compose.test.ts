import { publishedSecrets } from '@billing/platform';
import { linesOf, read } from './repository-files.test-support.ts';

const composeFiles = ['docker-compose.yml', 'docker-compose.demo.yml'];

type Service = { name: string; body: string };

/** What a compose file starts. */
const servicesOf = (path: string): Service[] =>
  [...read(path).matchAll(/^ {2}([\w-]+):\n((?: {4}.*\n|\n)+)/gm)]
    .map(([, name = '', body = '']) => ({ name, body }))
    .filter(({ body }) => /^ {4}(?:image|build):/m.test(body));

test.each(composeFiles)('every container of %s is hardened, and its image pinned to a digest', (path) => {
  const services = servicesOf(path);
  expect(services.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['postgres', 'redis-queue', 'redis-cache', 'migrate', 'api', 'worker']),
  );
  expect(services.filter(({ body }) => !body.includes('<<: *hardened'))).toEqual([]);
  const floating = linesOf(path, /^ {4}image:/).filter(
    (image) => !/:v?\d+\.\d+\S*@sha256:[0-9a-f]{64}$/.test(image),
  );
  expect(floating).toEqual([]);
  const hardened = /^x-hardened: &hardened\n((?: {2}.*\n)+)/m.exec(read(path))?.[1];
  for (const rule of ['read_only: true', 'cap_drop: [ALL]', "security_opt: ['no-new-privileges:true']"])
    expect(hardened).toContain(`  ${rule}\n`);
});

describe('docker-compose.yml', () => {
  const compose = read('docker-compose.yml');
  const secrets = /(?:PASSWORD|SECRET|SECRET_KEY|API_KEY)$/;

  test('runs in production and has no secret of its own', () => {
    expect(compose).toContain('  NODE_ENV: production\n');
    const variables = [...compose.matchAll(/\$\{(\w+)([^}]*)\}/g)];
    const withDefault = variables.filter(([, name = '', rest]) => secrets.test(name) && rest !== ':?');
    // Unset: there is no such user.
    expect([...new Set(withDefault.map(([text]) => text))]).toEqual(['${MONITOR_REDIS_PASSWORD:-}']);
    for (const name of [
      'STRIPE_SECRET_KEY',
      'STRIPE_WEBHOOK_SECRET',
      'ADMIN_API_KEY',
      'ERASURE_KEY',
      'WEBHOOK_SECRET_KEY',
      'POSTGRES_PASSWORD',
    ])
      expect(compose).toContain(`\${${name}:?}`);
    expect(compose).not.toMatch(/change-me|offline-stripe|STRIPE_API_BASE/);
  });

  test('what each secret is taken from a file for has a stand-in that no process accepts', () => {
    const required = [...compose.matchAll(/\$\{(\w+):\?\}/g)].map(([, name]) => name);
    const given = linesOf('docker-compose.secrets.env', /^\w/);
    expect(given.sort()).toEqual([...new Set(required)].map((name) => `${name}=from-a-file`).sort());
  });
});

test('the demo has everything that a first try needs, in development, with secrets that production refuses', () => {
  const demo = read('docker-compose.demo.yml');
  expect(servicesOf('docker-compose.demo.yml').map(({ name }) => name)).toEqual(
    expect.arrayContaining(['offline-stripe', 'seed-load', 'locust']),
  );
  expect(demo).toContain('  NODE_ENV: development\n');
  expect(demo).not.toContain('production\n  DATABASE_URL');
  for (const [, secret = ''] of demo.matchAll(
    /(?:ADMIN_API_KEY: \w+:|&webhook-secret |ERASURE_KEY: |WEBHOOK_SECRET_KEY: )(\S+)/g,
  ))
    expect(publishedSecrets).toContain(secret);
});

test.each(composeFiles)('in %s only the migration has the role that owns the tables', (path) => {
  expect(read(path)).toMatch(/^ {2}DATABASE_URL: &database-url postgresql:\/\/billing_service:/m);
  const asOwner = servicesOf(path).filter(({ body }) => /MIGRATE_DATABASE_URL|\/\/billing:/.test(body));
  expect(asOwner.map(({ name }) => name)).toEqual([
    'migrate',
    ...(path.includes('demo') ? [] : ['postgres-exporter']),
  ]);
});

test.each(composeFiles)('in %s only who needs Redis and Postgres is in their networks', (path) => {
  const inNetwork = (network: string): string[] =>
    servicesOf(path)
      .filter(({ body }) => new RegExp(`^ {4}networks: \\[(?:.*, )?${network}(?:,.*)?\\]$`, 'm').test(body))
      .map(({ name }) => name);
  const isDemo = path.includes('demo');
  expect(inNetwork('redis').sort()).toEqual(
    ['api', 'redis-cache', 'redis-queue', 'worker', ...(isDemo ? [] : ['redis-exporter'])].sort(),
  );
  expect(inNetwork('database').sort()).toEqual(
    ['api', 'migrate', 'postgres', 'worker', isDemo ? 'seed-load' : 'postgres-exporter'].sort(),
  );
  expect(read(path)).toMatch(
    /^networks:\n {2}database: \{ internal: true \}\n {2}redis: \{ internal: true \}\n/m,
  );
});

test('the other containers reach the offline Stripe, and a browser reaches its pages', () => {
  const service = /^ {2}offline-stripe:\n((?: {4}.*\n)+)/m.exec(read('docker-compose.demo.yml'))?.[1];
  expect(service).toContain('OFFLINE_STRIPE_HOST: 0.0.0.0\n');
  expect(service).toContain('OFFLINE_STRIPE_PUBLIC_URL: http://127.0.0.1:12111\n');
  expect(service).toContain("ports: ['127.0.0.1:12111:12111']\n");
});

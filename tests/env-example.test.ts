import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseEnv as parseEnvFile, promisify } from 'node:util';
import { parseEnv } from '@billing/platform';
import { readConfig } from '@billing/worker';
import { environmentSchema } from '../apps/api/src/config.ts';
import { parseConfig } from '../tools/offline-stripe/src/config.ts';

type Environment = Record<string, string>;

const root = fileURLToPath(new URL('..', import.meta.url));
const text = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

/** Unquoted values have no characters that are special to a shell. Quoted values are literal. */
const assignment = /^([A-Z][A-Z_]*)=(?:'([^']*)'|([\w:/.,@-]*))$/;
const written: Environment = Object.fromEntries(
  lines.map((line) => {
    const [, name, quoted, plain = ''] = assignment.exec(line) ?? [];
    if (name === undefined) throw new Error(`.env.example: quote the value in ${line}`);
    return [name, quoted ?? plain];
  }),
);

/** Variables without a default; their values are examples. */
const required: Environment = Object.fromEntries(
  ['DATABASE_URL', 'REDIS_URL', 'STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET', 'ADMIN_API_KEY'].map((name) => [
    name,
    written[name] ?? '',
  ]),
);

/** The variables that are read from the environment, without their `_FILE` forms. */
function lookedUp(read: (env: Environment) => unknown): string[] {
  const names = new Set<string>();
  const env = new Proxy(written, {
    get: (values, name) => {
      names.add(String(name).replace(/_FILE$/, ''));
      return Reflect.get(values, name);
    },
  });
  read(env);
  return [...names];
}

test('a shell that sources it gets every value as written, and prints nothing', async () => {
  const print = `${JSON.stringify(process.execPath)} -p 'JSON.stringify(process.env)'`;
  const { stdout, stderr } = await promisify(execFile)(
    'sh',
    ['-euc', `set -a; . ./.env.example; set +a; ${print}`],
    { cwd: root, env: {} },
  );
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject(written);
});

test('a reader of environment files gets every value as written', () => {
  expect(parseEnvFile(text)).toEqual(written);
});

test('no variable is listed twice', () => {
  expect(lines).toHaveLength(Object.keys(written).length);
});

test('it has every variable of API, worker, db:migrate and offline Stripe, and no other', () => {
  const offlineStripe = readFileSync(
    new URL('../tools/offline-stripe/src/config.ts', import.meta.url),
    'utf8',
  );
  const migrate = readFileSync(new URL('../packages/platform/src/migrate/main.ts', import.meta.url), 'utf8');
  const known = [
    ...Object.keys(environmentSchema.shape),
    ...[...migrate.matchAll(/^ {2}([A-Z_]+): (?:databaseFields|envVar)\b/gm)].map(([, name = '']) => name),
    ...lookedUp(readConfig),
    ...[...offlineStripe.matchAll(/^ {2}([A-Z_]+): z\b/gm)].map(([, name = '']) => name),
  ];
  expect(new Set(Object.keys(written))).toEqual(new Set(known));
});

test('its values are the defaults', () => {
  expect(parseEnv(environmentSchema, written)).toEqual(parseEnv(environmentSchema, required));
  expect(readConfig(written)).toEqual(readConfig(required));
  expect(parseConfig(written)).toEqual(parseConfig(required));
});

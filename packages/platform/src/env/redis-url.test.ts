import { redisFields } from './fields.ts';
import { redisSettings } from './redis-settings.ts';
import { parseRedisUrl } from './redis-url.ts';

const at = (...hosts: string[]) =>
  hosts.map((host) => {
    const [name = '', port] = host.split(' ');
    return { host: name, port: Number(port) };
  });

test.each([
  ['redis://cache', { kind: 'single', isTls: false, hosts: at('cache 6379'), db: 0 }],
  ['rediss://u:p%40ss@cache:7000/3', { isTls: true, account: { username: 'u', password: 'p@ss' }, db: 3 }],
  ['redis://:secret@[::1]:6380', { hosts: at('::1 6380'), account: { password: 'secret' } }],
  [
    'redis+sentinel://u:p@s-1,s-2:26380,[fd00::3]:26381/main/2?sentinel_username=x&sentinel_password=y%2Fz',
    {
      kind: 'sentinel',
      isTls: false,
      hosts: at('s-1 26379', 's-2 26380', 'fd00::3 26381'),
      account: { username: 'u', password: 'p' },
      sentinelAccount: { username: 'x', password: 'y/z' },
      name: 'main',
      db: 2,
    },
  ],
  ['rediss+sentinel://s/main', { kind: 'sentinel', isTls: true, name: 'main', db: 0 }],
  [
    'redis+cluster://n-1:7000,n-2:7001',
    { kind: 'cluster', hosts: at('n-1 7000', 'n-2 7001'), name: undefined },
  ],
  ['rediss+cluster://u:p@n-1', { kind: 'cluster', isTls: true, hosts: at('n-1 6379') }],
])('%s', (url, expected) => {
  expect(parseRedisUrl(url)).toMatchObject(expected);
});

test.each([
  ['http://cache', 'such as redis://'],
  ['redis://', 'such as redis://'],
  ['redis://a,b', 'redis+sentinel:// or redis+cluster:// for several'],
  ['redis://cache:99999', 'such as redis://'],
  ['redis+sentinel://s-1,s-2', "the primary's name"],
  ['redis+cluster://n-1/1', 'no database number'],
  ['redis://cache/x', 'a number as the database'],
  ['rediss://cache?sslrootcert=/nowhere/ca.pem', 'sslrootcert to name a file that can be read'],
  ['rediss+cluster://cache?sslcert=/nowhere/cert.pem', 'sslcert to name a file that can be read'],
])('%s is refused', (url, says) => {
  const { error } = redisFields.REDIS_URL.safeParse(url);
  expect(error?.issues[0]?.message).toContain(says);
});

test.each([
  ['redis://cache', undefined, 'bull'],
  ['redis+sentinel://s/main', undefined, 'bull'],
  ['redis+cluster://n', undefined, '{bull}'],
  ['redis+cluster://n', 'a{b}c', 'a{b}c'],
  ['redis://cache', 'staging', 'staging'],
])('the prefix of the queue at %s, set to %s', (url, prefix, expected) => {
  expect(redisSettings({ REDIS_URL: url, QUEUE_PREFIX: prefix, CACHE_PREFIX: '' }).queuePrefix).toBe(
    expected,
  );
});

test.each(['bull', '{}bull', '{bull', '}bull{'])(
  'a Redis Cluster with the prefix %s ends the start',
  (prefix) => {
    expect(() =>
      redisSettings({ REDIS_URL: 'redis+cluster://n', QUEUE_PREFIX: prefix, CACHE_PREFIX: '' }),
    ).toThrow('QUEUE_PREFIX: expected a hash tag such as {bull}');
  },
);

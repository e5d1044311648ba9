import { z } from 'zod';
import { parametersOf, tlsFileProblem } from './tls-files.ts';

/** `single`: one server; `sentinel`: Sentinels name the primary; `cluster`: a Redis Cluster. */
export type RedisKind = 'single' | 'sentinel' | 'cluster';

type Place = { readonly host: string; readonly port: number };
type Account = { readonly username?: string; readonly password?: string };

/** Where a Redis is and how it is logged in to, from `REDIS_URL` or `CACHE_REDIS_URL`. */
export type RedisAddress = {
  readonly kind: RedisKind;
  readonly isTls: boolean;
  /** Servers, nodes or Sentinels, as `kind` says; each is tried. */
  readonly hosts: readonly Place[];
  /** Of the servers that hold data. */
  readonly account: Account;
  readonly sentinelAccount: Account;
  /** What the Sentinels call the primary; undefined: no Sentinels. */
  readonly name: string | undefined;
  readonly db: number;
};

const form =
  /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^/?#]*)@)?([^@/?#]+)((?:\/[^/?#]*){0,2})(?:\?[^#]*)?$/i;
const place = /^(?:\[([\da-fA-F:.%\w]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/;
const maxPort = 65_535;

const forms =
  'a URL such as redis://host:port, rediss://host:port, redis+sentinel://host:port,host:port/name or redis+cluster://host:port,host:port';

/** Reads a Redis URL. Throws a TypeError whose message says what was expected, and never quotes the URL. */
export function parseRedisUrl(url: string): RedisAddress {
  const match = form.exec(url.trim());
  if (match === null) throw expected(forms);
  const [, scheme = '', plus, userInfo, authority = '', path = ''] = match;
  const kind = kindOf(plus);
  const listed = authority.split(',');
  if (kind === 'single' && listed.length > 1)
    throw expected('one host, or redis+sentinel:// or redis+cluster:// for several');
  const hosts = listed.map((one) => parsePlace(one, kind === 'sentinel' ? 26_379 : 6_379));
  const parameters = parametersOf(url.trim());
  return {
    kind,
    isTls: scheme.toLowerCase() === 'rediss',
    hosts,
    account: parseAccount(userInfo),
    sentinelAccount: accountOf(parameters.get('sentinel_username'), parameters.get('sentinel_password')),
    ...parsePath(kind, path, parameters.get('db')),
  };
}

/** What is wrong with a Redis URL, its files included; undefined: nothing. Never quotes it. */
function redisUrlProblem(url: string): string | undefined {
  try {
    parseRedisUrl(url);
  } catch (error) {
    return error instanceof Error ? error.message : forms;
  }
  return tlsFileProblem(url);
}

/** A Redis URL whose files for TLS are there. */
export function redisUrl(): z.ZodType<string, string> {
  return z
    .string({ error: `expected ${forms}` })
    .trim()
    .superRefine((url, context) => {
      const problem = redisUrlProblem(url);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: `expected ${problem}` });
    });
}

const expected = (what: string): TypeError => new TypeError(what);

const kindOf = (plus: string | undefined): RedisKind =>
  plus === undefined ? 'single' : plus.toLowerCase() === 'sentinel' ? 'sentinel' : 'cluster';

function parsePlace(text: string, defaultPort: number): Place {
  const [matched, inBrackets, name, port] = place.exec(text.trim()) ?? [];
  const number = port === undefined ? defaultPort : Number(port);
  if (matched === undefined || number < 1 || number > maxPort) throw expected(forms);
  return { host: inBrackets ?? decode(name ?? ''), port: number };
}

/** `user:password`, `:password`, or a user alone. */
function parseAccount(userInfo: string | undefined): Account {
  if (userInfo === undefined) return {};
  const colon = userInfo.indexOf(':');
  return colon < 0
    ? accountOf(decode(userInfo), null)
    : accountOf(decode(userInfo.slice(0, colon)), decode(userInfo.slice(colon + 1)));
}

const accountOf = (username: string | null, password: string | null): Account => ({
  ...(username === null || username === '' ? {} : { username }),
  ...(password === null || password === '' ? {} : { password }),
});

function parsePath(
  kind: RedisKind,
  path: string,
  dbParameter: string | null,
): Pick<RedisAddress, 'name' | 'db'> {
  const parts = path.split('/').slice(1);
  if (kind === 'sentinel') {
    const [name = '', db] = parts;
    if (name === '')
      throw expected("the primary's name after the Sentinels: redis+sentinel://host:port,host:port/name");
    return { name: decode(name), db: parseDb(db ?? dbParameter) };
  }
  const [db, ...more] = parts;
  if (more.length > 0) throw expected(forms);
  const number = parseDb(db ?? dbParameter);
  if (kind === 'cluster' && number !== 0)
    throw expected('no database number: a Redis Cluster has one database');
  return { name: undefined, db: number };
}

function parseDb(text: string | null | undefined): number {
  if (text === null || text === undefined || text === '') return 0;
  if (!/^\d{1,6}$/.test(text)) throw expected('a number as the database');
  return Number(text);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw expected('%-sequences that can be decoded');
  }
}

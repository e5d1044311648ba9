import { BlockList, isIP, isIPv6 } from 'node:net';
import { ServiceError } from '@billing/domain';
import type { ApiKeyScope } from '@billing/domain';
import { addressOf, plainAddress } from '@billing/platform';
import type { Login } from '@billing/platform';
import type { ApiKeyRecord } from '@billing/store';
import type { Request, RequestHandler, Response } from 'express';
import type { AppDeps } from '../deps.ts';

export type ProjectKeyDeps = Pick<AppDeps, 'keys' | 'clock' | 'authFailures' | 'rateLimiter' | 'config'>;

/** The token of `Authorization: Bearer …` (RFC 6750); null: none was sent. */
export function bearerToken(authorization: string | undefined): string | null {
  if (authorization === undefined) return null;
  const space = authorization.indexOf(' ');
  if (space !== 6 || authorization.slice(0, 6).toLowerCase() !== 'bearer') return null;
  const token = authorization.slice(7).trim();
  return token === '' ? null : token;
}

export function missingKey(what: string): ServiceError {
  return new ServiceError('missing_api_key', `Send the header Authorization: Bearer <${what}>.`);
}

const wrongAddress = (): ServiceError =>
  new ServiceError(
    'address_not_allowed',
    'Call from an address that this API key is allowed to be used from.',
  );

const invalidKey = (): ServiceError =>
  new ServiceError('invalid_api_key', 'Use an API key that is known, not revoked and not expired.');

/** The record of a key, looked up if need be; for an address that sent many wrong keys no unknown key is looked up. */
async function findRecord(
  { keys, clock, authFailures }: ProjectKeyDeps,
  token: string,
  login: Login,
): Promise<ApiKeyRecord> {
  const { area, request } = login;
  const cached = keys.peek(token);
  const mayLookUp =
    cached !== undefined || keys.isKnown(token) || authFailures.waitSeconds(area, addressOf(request)) === 0;
  const record = cached ?? (mayLookUp ? await keys.find(token) : null);
  if (record === null) throw authFailures.wrong(login, invalidKey());
  if (record.expiresAt === null || record.expiresAt > clock()) return record;
  throw authFailures.wrong(login, invalidKey(), 'expired');
}

/**
 * Counts a request of this key, where a limit is set, and says in `RateLimit-*` (draft-ietf-httpapi-ratelimit-headers)
 * what is left. Throws `rate_limited`.
 */
async function limitRate(
  { rateLimiter, config }: ProjectKeyDeps,
  record: ApiKeyRecord,
  response: Response,
): Promise<void> {
  const perSecond = record.rateLimitPerSecond ?? config.rateLimitPerSecond;
  if (perSecond === 0) return;
  const { isAllowed, limit, remaining, resetMs, retryAfterMs } = await rateLimiter.take(
    record.keyId,
    perSecond,
  );
  response.setHeader('ratelimit-limit', String(limit));
  response.setHeader('ratelimit-remaining', String(remaining));
  response.setHeader('ratelimit-reset', String(Math.ceil(resetMs / 1_000)));
  if (isAllowed) return;
  throw new ServiceError('rate_limited', `Send at most ${limit} requests a second with this key.`, {
    retryable: true,
    retryAfterSeconds: retryAfterMs / 1_000,
  });
}

// A list of networks is put together when its key is first used; nearly all keys have none.
const networks = new WeakMap<ApiKeyRecord, BlockList>();

function networksOf(record: ApiKeyRecord): BlockList {
  const known = networks.get(record);
  if (known !== undefined) return known;
  const list = new BlockList();
  for (const network of record.allowedIps) {
    const [address = '', bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  networks.set(record, list);
  return list;
}

function isAllowedFrom(record: ApiKeyRecord, address: string | undefined): boolean {
  if (record.allowedIps.length === 0) return true;
  const plain = plainAddress(address);
  return isIP(plain) !== 0 && networksOf(record).check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}

/** Pages send `Origin`, and everybody can read the key of a page: there it may only read. */
const mayBeUsedWhere = (record: ApiKeyRecord, { headers }: Pick<Request, 'headers'>): boolean =>
  headers.origin === undefined || record.scopes.every((scope) => scope === 'read');

const notInPages = (): ServiceError =>
  new ServiceError(
    'insufficient_scope',
    'Use an API key that may only "read" in a web page (this request has an Origin), and others in a backend.',
  );

/**
 * Who asks: the record of the project API key in `Authorization`. Throws `missing_api_key`, `invalid_api_key`,
 * `address_not_allowed`, `insufficient_scope`, `project_inactive`, `rate_limited`.
 */
export async function authenticateProject(
  deps: ProjectKeyDeps,
  { request, response }: { request: Request; response: Response },
  scope: ApiKeyScope,
): Promise<ApiKeyRecord> {
  const login = { area: 'project', request, response } as const;
  const token = bearerToken(request.headers.authorization);
  if (token === null) throw deps.authFailures.missing(login, missingKey('project API key'));
  const record = await findRecord(deps, token, login);
  if (!isAllowedFrom(record, request.ip)) throw deps.authFailures.misused(login, wrongAddress(), 'address');
  await limitRate(deps, record, response);
  if (!mayBeUsedWhere(record, request)) throw notInPages();
  if (!record.scopes.includes(scope))
    throw new ServiceError('insufficient_scope', `Use an API key that has the scope "${scope}".`);
  if (!record.isProjectActive)
    throw new ServiceError('project_inactive', 'An administrator can switch the project on again.');
  return record;
}

/**
 * As `authenticateProject`, without waiting. Null: the key is not in memory, or may not do this, or its requests are
 * limited, and `authenticateProject` has to find out.
 */
export function peekProject(
  deps: Pick<AppDeps, 'keys' | 'clock' | 'config'>,
  request: Pick<Request, 'headers' | 'ip'>,
  scope: ApiKeyScope,
): ApiKeyRecord | null {
  if (deps.config.rateLimitPerSecond !== 0) return null;
  const token = bearerToken(request.headers.authorization);
  const record = token === null ? undefined : deps.keys.peek(token);
  if (record === undefined || !record.isProjectActive || !record.scopes.includes(scope)) return null;
  if (record.rateLimitPerSecond !== null || !mayBeUsedWhere(record, request)) return null;
  if (record.allowedIps.length > 0 && !isAllowedFrom(record, request.ip)) return null;
  return record.expiresAt !== null && record.expiresAt <= deps.clock() ? null : record;
}

// Beside the response, as Express's `locals` has no types.
const projects = new WeakMap<Response, ApiKeyRecord>();

/** Lets only a project's API key of this scope pass; `projectOf(response)` is then its record. */
export function requireProjectKey(deps: ProjectKeyDeps, scope: ApiKeyScope): RequestHandler {
  return async (request, response, next) => {
    projects.set(response, await authenticateProject(deps, { request, response }, scope));
    next();
  };
}

export function projectOf(response: Response): ApiKeyRecord {
  const record = projects.get(response);
  if (record === undefined) throw new Error('projectOf was called before requireProjectKey');
  return record;
}

/** A `project_id` in a part of a request (path, query, body) is optional, but must be the key's. Throws `project_mismatch`. */
export function requireSameProject({ projectId }: ApiKeyRecord, part: unknown): void {
  if (typeof part !== 'object' || part === null || !('project_id' in part)) return;
  if (part.project_id !== undefined && part.project_id !== projectId)
    throw new ServiceError('project_mismatch', 'Leave project_id out, or use the project of the API key.');
}

import { sessionMs } from '@billing/store';
import type { ApiConfig } from '../config.ts';

type Environment = Pick<ApiConfig, 'environment'>;

const plainName = 'billing_console';

/**
 * `__Host-` ties a cookie to this host, its root and https (RFC 6265bis, 4.1.3.2). In development, which has no https, the
 * browser would not take it.
 */
const nameOf = ({ environment }: Environment): string =>
  environment === 'production' ? `__Host-${plainName}` : plainName;

const cookie = (config: Environment, value: string, maxAge: number): string =>
  [
    `${nameOf(config)}=${value}`,
    'Path=/',
    `Max-Age=${maxAge}`,
    'HttpOnly',
    'SameSite=Strict',
    ...(config.environment === 'production' ? ['Secure'] : []),
  ].join('; ');

/** A `Set-Cookie` that holds the token for as long as a session may last. */
export const sessionCookie = (config: Environment, token: string): string =>
  cookie(config, token, sessionMs / 1000);

/** A `Set-Cookie` that takes it away. */
export const noSessionCookie = (config: Environment): string => cookie(config, '', 0);

/** The token that a request's `Cookie` holds; null: none. */
export function readSessionCookie(config: Environment, header: string | undefined): string | null {
  const start = `${nameOf(config)}=`;
  const pairs = (header ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(start))?.slice(start.length) ?? null;
}

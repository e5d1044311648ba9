import type { IncomingMessage } from 'node:http';
import { ServiceError } from '@billing/domain';
import type { ConsoleConfig } from '../config.ts';

type Caller = Pick<IncomingMessage, 'headers'> & { method?: string | undefined };
type Own = Pick<ConsoleConfig, 'publicOrigin'>;

function isOwnOrigin(origin: string, { headers }: Caller, { publicOrigin }: Own): boolean {
  if (!/^https?:\/\//.test(origin) || !URL.canParse(origin)) return false;
  const { origin: normal, host } = new URL(origin);
  return publicOrigin === undefined ? host === headers.host?.toLowerCase() : normal === publicOrigin;
}

/** It changes nothing. */
export const isRead = ({ method }: Caller): boolean => method === 'GET' || method === 'HEAD';

const foreign = (): ServiceError =>
  new ServiceError(
    'origin_not_allowed',
    "Call from the console's own page. Behind a proxy that changes Host, PUBLIC_URL must be the address that browsers open.",
  );

/** An `Origin` that is sent must be that of this service. Throws `origin_not_allowed`. */
export function refuseForeignOrigin(caller: Caller, own: Own): void {
  const { origin } = caller.headers;
  if (origin !== undefined && !isOwnOrigin(origin, caller, own)) throw foreign();
}

/**
 * The same, and what changes something must have one: browsers send it with every such request, and leave it out of a GET
 * to the same origin only. Throws `origin_not_allowed`.
 */
export function requireOwnOrigin(caller: Caller, own: Own): void {
  if (!isRead(caller) && caller.headers.origin === undefined) throw foreign();
  refuseForeignOrigin(caller, own);
}

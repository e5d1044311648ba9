import type { IncomingMessage } from 'node:http';
import type { Logger } from '@billing/platform';
import type { ApiConfig } from '../config.ts';

/** Called with each request. */
export type WarnOfProxy = (request: Pick<IncomingMessage, 'headers'>) => void;

/**
 * Behind a proxy that nobody told of, all callers have one address: wrong keys of one slow down those of all. One warning for
 * a process, whichever of its ports and routes is called.
 */
export function createProxyWarning(
  logger: Logger,
  { trustedProxies }: Pick<ApiConfig, 'trustedProxies'>,
): WarnOfProxy {
  let mayWarn = trustedProxies === false;
  return ({ headers }) => {
    if (!mayWarn || headers['x-forwarded-for'] === undefined) return;
    mayWarn = false;
    logger.warn('forwarded_for_ignored', { what_to_do: 'set TRUST_PROXY to the proxies in front' });
  };
}

import { ServiceError } from '@billing/domain';
import type { RequestHandler } from 'express';

/** For `route.all(…)` after a route's methods: 405 with `Allow` (RFC 9110, 15.5.6). */
export function methodNotAllowed(...allowed: readonly string[]): RequestHandler {
  const allow = allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
  return (_request, response) => {
    response.setHeader('allow', allow);
    throw new ServiceError('method_not_allowed', `Use one of the methods ${allow}.`);
  };
}

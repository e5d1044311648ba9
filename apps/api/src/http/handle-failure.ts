import type { IncomingMessage, ServerResponse } from 'node:http';
import { ServiceError } from '@billing/domain';
import { limitLines, QueueUnavailableError, requestIdOf } from '@billing/platform';
import { ErasureKeyMissing, isDatabaseUnavailable, isDatabaseUnreachable } from '@billing/store';
import type { AppDeps } from '../deps.ts';
import { httpStatusOf, sendProblem } from './problem.ts';

/** Of requests that a dependency prevents; while one is away that may be all. */
const linesPerSecond = 10;

export type FailureHandler = (error: unknown, request: IncomingMessage, response: ServerResponse) => void;

/** `limit`: how many bytes there may be, where the reader says it. */
type BodyProblem = { type: string; limit?: unknown };

function bodyError({ type, limit }: BodyProblem): ServiceError | null {
  switch (type) {
    case 'entity.too.large':
      return new ServiceError(
        'payload_too_large',
        typeof limit === 'number' ? `Send a body of at most ${limit / 1_024} KiB.` : 'Send a smaller body.',
      );
    case 'encoding.unsupported':
      return new ServiceError('unsupported_media_type', 'Send the body without compression.');
    case 'charset.unsupported':
      return new ServiceError('unsupported_media_type', 'Send the body in UTF-8.');
    case 'entity.parse.failed':
    case 'entity.verify.failed':
    case 'request.aborted':
    case 'request.size.invalid':
      return new ServiceError('invalid_request', 'Send a complete and well-formed JSON body.', {
        errors: [{ path: '', message: 'is not well-formed JSON, or not complete' }],
      });
    default:
      return null;
  }
}

/** Every error as one that its caller may see: what is not known to be harmless becomes `internal_error`. */
export function toServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const options = { retryable: true, retryAfterSeconds: 1, cause: error };
  if (error instanceof QueueUnavailableError)
    return new ServiceError(
      'queue_unavailable',
      'Send it again in a moment: the queue cannot take it now.',
      options,
    );
  if (error instanceof ErasureKeyMissing)
    return new ServiceError(
      'service_unavailable',
      'Try again when this process has all keys of ERASURE_KEY: without them it cannot tell who was erased.',
      options,
    );
  if (isDatabaseUnavailable(error))
    return new ServiceError(
      'service_unavailable',
      isDatabaseUnreachable(error)
        ? 'Try again in a moment: the database cannot be reached.'
        : 'Try again in a moment: the database did not get to it in time.',
      options,
    );
  if (error instanceof Error && 'type' in error && typeof error.type === 'string') {
    const found = bodyError({ type: error.type, limit: 'limit' in error ? error.limit : undefined });
    if (found !== null) return found;
  }
  // A path whose percent encoding cannot be decoded (Express's router).
  if (error instanceof URIError)
    return new ServiceError('invalid_request', 'Encode the path as UTF-8.', {
      errors: [{ path: '', message: 'has percent signs that are no UTF-8' }],
    });
  return new ServiceError('internal_error', 'Try again; if it stays, report it with the request id.', {
    cause: error,
  });
}

/** Where every error of a request ends: logged once if the fault is ours, then answered. */
export function createFailureHandler(deps: Pick<AppDeps, 'logger'>): FailureHandler {
  const lines = limitLines(linesPerSecond, (count) => deps.logger.warn('requests_not_served', { count }));
  return (error, request, response) => {
    const failure = toServiceError(error);
    const requestId = requestIdOf(response);
    const status = httpStatusOf(failure.code);
    const fields = { request_id: requestId, method: request.method, code: failure.code };
    if (status === 500) deps.logger.error('request_failed', { ...fields, error: failure.cause ?? failure });
    else if (status > 500 && lines.admits())
      deps.logger.warn('request_refused', { ...fields, error: failure.cause ?? failure });
    sendProblem(response, failure, requestId);
  };
}

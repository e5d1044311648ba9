import { ServiceError } from '@billing/domain';
import type { RequestHandler, Response } from 'express';
import { findSignedIn } from './find-signed-in.ts';
import type { SessionDeps, SignedIn } from './find-signed-in.ts';

// Beside the response, as Express's `locals` has no types.
const known = new WeakMap<Response, SignedIn>();

/** Lets only pass who is signed in to the console; `signedInOf(response)` then says who. */
export const requireSignedIn =
  (deps: SessionDeps): RequestHandler =>
  async (request, response, next) => {
    const signedIn = await findSignedIn(deps, { request, response });
    if (signedIn === null)
      throw deps.authFailures.missing(
        { area: 'console', request, response },
        new ServiceError('missing_api_key', 'Sign in first, in the console.'),
      );
    known.set(response, signedIn);
    next();
  };

export function signedInOf(response: Response): SignedIn {
  const signedIn = known.get(response);
  if (signedIn === undefined) throw new Error('signedInOf was called before requireSignedIn');
  return signedIn;
}

import { QueryClient } from '@tanstack/react-query';
import { ApiError, waitMsOf } from './problem.ts';

export const sessionKey = ['session'] as const;

/** What the page knows of its session: who is signed in; null: nobody; `ended`: it was refused, and somebody has to sign in again. */
export type KnownSession<Session> = Session | 'ended' | null;

/** The session as it is known now; undefined: nobody asked yet. */
export const sessionNow = (): unknown => queryClient.getQueryData(sessionKey);

/** After an answer of 401 the sign-in comes, at the same address; unless somebody signed in since the request was sent. */
export function endSession(asked: unknown): void {
  if (asked !== null && sessionNow() === asked) queryClient.setQueryData(sessionKey, 'ended');
}

/** No answer, or a dependency is away: the same call may succeed in a moment. */
const mayPass = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 0 || error.status === 503 || error.status === 429);

/** Longer than this a page says what it waits for, and somebody asks again. */
const mostWaitMs = 5_000;

/** Reads of the pages. */
export const queryClient: QueryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < 2 && mayPass(error) && waitMsOf(error) <= mostWaitMs,
      retryDelay: (failures, error) => Math.max(1_000 * 2 ** failures, waitMsOf(error)),
      staleTime: 5_000,
    },
  },
});

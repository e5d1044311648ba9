import { QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError } from './problem.ts';

export const sessionKey = ['session'] as const;

/** No answer, or a dependency is away: the same call may succeed in a moment. */
const mayPass = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 0 || error.status === 503 || error.status === 429);

/** Reads of the pages; an answer of 401 ends the session, and the sign-in comes back at the same address. */
export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      if (error instanceof ApiError && error.status === 401) queryClient.setQueryData(sessionKey, null);
    },
  }),
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < 2 && mayPass(error),
      staleTime: 5_000,
    },
  },
});

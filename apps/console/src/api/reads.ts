import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import type { UseQueryResult } from '@tanstack/react-query';
import { refreshInterval, refreshMs } from './attention.ts';
import { addressOf } from './address.ts';
import { call } from './call.ts';
import type { Query } from './address.ts';
import { ApiError } from './problem.ts';

export type ReadOptions = {
  query?: Query;
  /** False: nothing is asked yet. */
  isWanted?: boolean;
  /** Each read of it is in the audit log: it is read once, and again when somebody asks for it. */
  isAudited?: boolean;
};

const audited = {
  staleTime: Number.POSITIVE_INFINITY,
  refetchOnWindowFocus: false,
  refetchOnReconnect: false,
  meta: { isAudited: true },
} as const;

const refreshed = {
  refetchInterval: ({ state }: { state: { error: Error | null } }) => refreshInterval(state.error),
};

/** One read of the API. */
export function useRead<Answer>(path: string, options: ReadOptions = {}): UseQueryResult<Answer> {
  const { query, isWanted = true, isAudited = false } = options;
  return useQuery({
    queryKey: ['read', addressOf(path, query)],
    queryFn: ({ signal }) => call<Answer>({ path, signal, ...(query === undefined ? {} : { query }) }),
    enabled: isWanted,
    ...(isAudited ? audited : refreshed),
  });
}

/** Reads again what is shown of an address and of all below it, such as a user with the timeline. */
export function useRefresh(path: string): () => void {
  const client = useQueryClient();
  const isOf = (key: unknown): boolean =>
    typeof key === 'string' && (key === path || key.startsWith(`${path}/`));
  return () => void client.invalidateQueries({ predicate: ({ queryKey }) => isOf(queryKey[1]) });
}

export type Page<Row> = { data: Row[]; next_cursor: string | null };

export type List<Row> = {
  rows: Row[] | undefined;
  error: Error | null;
  isFetching: boolean;
  isReadingMore: boolean;
  /** It is not read again by itself: each read is audited, or several pages are shown. */
  isStill: boolean;
  hasMore: boolean;
  readMore: () => void;
  refresh: () => void;
};

export type ListOptions = ReadOptions & {
  /** How many rows a page has; default: as the API has it. */
  limit?: number;
};

/** A list of the API, page by page. It is read again by itself as long as only its first page is shown. */
export function useList<Row>(path: string, options: ListOptions = {}): List<Row> {
  const { query, isWanted = true, isAudited = false, limit } = options;
  const asked = { ...query, limit };
  const list = useInfiniteQuery({
    queryKey: ['list', addressOf(path, asked)],
    queryFn: ({ pageParam, signal }): Promise<Page<Row>> =>
      call({ path, query: { ...asked, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor: next }) => next ?? undefined,
    enabled: isWanted,
    placeholderData: keepPreviousData,
    ...(isAudited ? audited : {}),
    refetchInterval: ({ state }) =>
      isAudited || (state.data?.pages.length ?? 0) > 1 ? false : refreshInterval(state.error),
  });
  const isStill = isAudited || (list.data?.pages.length ?? 0) > 1;
  return {
    isStill,
    rows: list.data?.pages.flatMap(({ data }) => data),
    error: list.error,
    isFetching: list.isFetching,
    isReadingMore: list.isFetchingNextPage,
    hasMore: list.hasNextPage,
    readMore: () => void list.fetchNextPage(),
    refresh: () => void list.refetch(),
  };
}

/** The rows of a list that is short enough to be read whole, such as a catalog: at most `mostPages` pages. */
export function useWholeList<Row>(path: string, { isWanted = true }: { isWanted?: boolean } = {}) {
  return useQuery({
    queryKey: ['whole', path],
    queryFn: ({ signal }) => readWhole<Row>(path, signal),
    enabled: isWanted,
    staleTime: refreshMs,
  });
}

const mostPages = 20;

async function readWhole<Row>(path: string, signal: AbortSignal): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor = '';
  for (let page = 0; page < mostPages; page += 1) {
    const answer: Page<Row> = await call({ path, query: { cursor, limit: 100 }, signal });
    rows.push(...answer.data);
    if (answer.next_cursor === null) return rows;
    cursor = answer.next_cursor;
  }
  return rows;
}

/** Whether an error says that the role, or the project of the name, is not enough. */
export const isForbidden = (error: unknown): boolean => error instanceof ApiError && error.status === 403;
export const isMissing = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

import type { PhaseDeps, ImportReadDeps } from './import-deps.ts';
import { ImportError } from './import-deps.ts';
import { beginPhase } from './import-state.ts';
import { readStripe, unlessRefused } from './read-stripe.ts';
import { checkPage } from '../stripe/check-page.ts';

type Page<T> = { data: T[]; has_more: boolean };
type PageParams = { limit: number; starting_after?: string };

type List<T> = (params: PageParams) => Promise<Page<T>>;

const paramsOf = (limit: number, after: string | null): PageParams =>
  after === null ? { limit } : { limit, starting_after: after };

/** Reads a whole list; `onProgress` gets the number of objects read so far. */
export async function readAll<T extends { id: string }>(
  deps: ImportReadDeps,
  list: List<T>,
  onProgress?: (read: number) => void,
): Promise<T[]> {
  const rows: T[] = [];
  for (let hasMore = true; hasMore;) {
    const after = rows.at(-1)?.id ?? null;
    const page = checkPage(await readStripe(deps, () => list(paramsOf(deps.pageSize, after))));
    rows.push(...page.data);
    hasMore = page.has_more && page.data.length > 0;
    onProgress?.(rows.length);
  }
  return rows;
}

/** The page after the saved cursor. Null: the object that the cursor names was deleted in Stripe. */
function readPage<T>(deps: PhaseDeps, list: List<T>): Promise<Page<T> | null> {
  const { cursor } = deps.state;
  return readStripe(deps, () =>
    unlessRefused(
      ({ code }) => cursor !== null && code === 'resource_missing',
      () => list(paramsOf(deps.pageSize, cursor)),
    ),
  );
}

/** More restarts are no coincidence: what is being imported is being deleted. */
const maxRestarts = 3;

type Listing<T> = {
  /** What the progress line calls them. */
  what: string;
  list: List<T>;
  handle: (rows: T[]) => Promise<void>;
};

/**
 * Reads the list of a phase, newest first, from the saved cursor; saves the cursor after each page. With a cursor that
 * Stripe no longer knows the phase starts over, which changes nothing that was imported already.
 */
export async function eachPage<T extends { id: string }>(
  deps: PhaseDeps,
  { what, list, handle }: Listing<T>,
): Promise<void> {
  const { state, progress, save } = deps;
  let restarts = 0;
  for (let hasMore = true; hasMore;) {
    const page = await readPage(deps, list);
    if (page === null) {
      if (restarts === maxRestarts)
        throw new ImportError(
          `The place in the list of ${what} is lost again and again. Run the same command later.`,
        );
      restarts += 1;
      progress.say(
        `Stripe has ${state.cursor} no more, where the list of ${what} was to go on: beginning it anew.`,
      );
      beginPhase(state, state.phase);
      continue;
    }
    await handle(checkPage(page).data);
    state.done += page.data.length;
    state.cursor = page.data.at(-1)?.id ?? state.cursor;
    hasMore = page.has_more && page.data.length > 0;
    save();
    progress.at(what, state.done);
  }
}

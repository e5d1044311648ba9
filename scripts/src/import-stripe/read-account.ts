import type { ReadDeps } from './import-deps.ts';
import { readStripe, unlessRefused } from './read-stripe.ts';

/**
 * The id of the account that the key belongs to. Null: a restricted key that may read what is imported, but not
 * the account; what is imported does not need it.
 */
export async function readAccountId(deps: ReadDeps): Promise<string | null> {
  const account = await readStripe(deps, () =>
    unlessRefused(
      ({ type }) => type === 'StripePermissionError',
      () => deps.worker.stripe.accounts.retrieveCurrent(),
    ),
  );
  return account?.id ?? null;
}

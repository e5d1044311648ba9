import type { ImportReadDeps } from '@billing/sync';
import { readStripe, unlessRefused } from '@billing/sync';

/**
 * The id of the account that the key belongs to. Null: a restricted key that may read what is imported, but not
 * the account; what is imported does not need it.
 */
export async function readAccountId(deps: ImportReadDeps): Promise<string | null> {
  const account = await readStripe(deps, () =>
    unlessRefused(
      ({ type }) => type === 'StripePermissionError',
      () => deps.sync.stripe.accounts.retrieveCurrent(),
    ),
  );
  return account?.id ?? null;
}

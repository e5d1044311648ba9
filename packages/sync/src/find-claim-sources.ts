import {
  hasClaimsWithoutSource,
  markHintedPurchases,
  markHintedSubscriptions,
  markMetadataClaims,
} from '@billing/store';
import type { SyncDeps } from './deps.ts';

const passes = [
  { mark: markMetadataClaims, source: 'metadata' },
  { mark: markHintedSubscriptions, source: 'buyer_hint' },
  { mark: markHintedPurchases, source: 'buyer_hint' },
] as const;

type Deps = Pick<SyncDeps, 'database' | 'logger'>;

/**
 * Finds out where claims come from that an older version of the service stored, which kept no source, one page of a table
 * at each call: `metadata` where the ledger shows it, else `buyer_hint`, the more careful of the two. All of the ledger goes
 * before the first hint. May be done any number of times and by several processes at once; a process that ends begins anew.
 */
export function createClaimSourceFinder({ database, logger }: Deps): () => Promise<'again' | 'rest'> {
  let step = 0;
  let after = '';
  let found = { metadata: 0, buyer_hint: 0 };

  const begin = (): void => {
    step = 0;
    after = '';
    found = { metadata: 0, buyer_hint: 0 };
  };

  return async () => {
    const isAtStart = step === 0 && after === '';
    if (isAtStart && !(await hasClaimsWithoutSource(database))) return 'rest';
    const pass = passes[step];
    if (pass === undefined) {
      logger.info('claim_sources_found', found);
      begin();
      return 'rest';
    }
    const page = await pass.mark(database, { after });
    found[pass.source] += page.changed;
    after = page.isLast ? '' : page.after;
    if (page.isLast) step += 1;
    return 'again';
  };
}

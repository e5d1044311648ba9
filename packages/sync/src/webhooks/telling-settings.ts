import type { DerivationSettings } from '@billing/store';

/** How products are told of changes. */
export type TellingSettings = {
  derivation: DerivationSettings;
  /** Users a second, of the installation: changes of catalog and policy, backfills, imports. */
  fanOutPerSecond: number;
  /** Users a second, of the installation, whose answer time changes. */
  boundariesPerSecond: number;
};

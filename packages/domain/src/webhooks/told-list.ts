import type { EntitlementOut } from '../contracts/entitlements.ts';
import { canonicalJson } from '../usage/storable-json.ts';

/** An entry of `entitlements` as far as a difference in it is a change: without usage windows and balances. */
export type ToldEntry = Omit<EntitlementOut, 'balance' | 'period_start' | 'period_end'>;

export const toToldList = (entitlements: readonly EntitlementOut[]): ToldEntry[] =>
  entitlements.map(({ balance: _balance, period_start: _start, period_end: _end, ...entry }) => entry);

/** The same text for lists without a difference: what the digest is made of. */
export const toldText = (list: readonly ToldEntry[]): string => canonicalJson(list);

export type EntitlementChange = { feature_code: string; change: 'added' | 'removed' | 'updated' };

/** How two lists differ, sorted by feature code. */
export function changesBetween(
  before: readonly ToldEntry[],
  after: readonly ToldEntry[],
): EntitlementChange[] {
  const was = new Map(before.map((entry) => [entry.feature_code, entry]));
  const is = new Map(after.map((entry) => [entry.feature_code, entry]));
  const codes = [...new Set([...was.keys(), ...is.keys()])].sort((a, b) => (a < b ? -1 : 1));
  return codes.flatMap((code): EntitlementChange[] => {
    const [old, current] = [was.get(code), is.get(code)];
    if (old === undefined) return [{ feature_code: code, change: 'added' }];
    if (current === undefined) return [{ feature_code: code, change: 'removed' }];
    return canonicalJson(old) === canonicalJson(current) ? [] : [{ feature_code: code, change: 'updated' }];
  });
}

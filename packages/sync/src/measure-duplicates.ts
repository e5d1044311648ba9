import { countDuplicates } from '@billing/store';
import type { MaintenanceDeps } from './deps.ts';

/** Sets the metric of the subscriptions that somebody has twice. */
export async function measureDuplicates({
  replicas,
  counters,
}: Pick<MaintenanceDeps, 'replicas' | 'counters'>): Promise<void> {
  const { result } = await replicas.read((reader) => countDuplicates(reader));
  counters.duplicateSubscriptions.set(result);
}

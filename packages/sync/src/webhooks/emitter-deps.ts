import type { SyncDeps } from '../deps.ts';
import type { TellingSettings } from './telling-settings.ts';

export type EmitterDeps = Pick<
  SyncDeps,
  'clock' | 'logger' | 'database' | 'cache' | 'outboxCleaner' | 'counters'
> & { telling: TellingSettings };

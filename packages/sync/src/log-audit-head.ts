import { readAuditHead } from '@billing/store';
import type { MaintenanceDeps } from './deps.ts';

/**
 * Writes the head of the audit chain to the log, where the owner of the database can't change it: `audit verify` compares the
 * two.
 */
export async function logAuditHead({
  database,
  logger,
}: Pick<MaintenanceDeps, 'database' | 'logger'>): Promise<void> {
  const head = await readAuditHead(database);
  if (head === null) logger.error('audit_head_missing');
  else logger.info('audit_head', { id: String(head.id), digest: head.digest });
}

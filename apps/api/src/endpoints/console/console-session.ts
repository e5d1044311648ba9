import type { AdminNameOut } from '@billing/domain';
import type { NamedSecret } from '@billing/platform';

/** A name of `ADMIN_API_KEY`, without its secret. */
export const presentAdmin = ({ name, role, projectId }: Omit<NamedSecret, 'secret'>): AdminNameOut => ({
  name,
  role,
  project_id: projectId,
});

export const consoleSessionExample = { name: 'alice', role: 'operator', project_id: null };

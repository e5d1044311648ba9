import { ServiceError } from '@billing/domain';
import type { Logger } from '@billing/platform';

export type WarnOfOpenRedirects = (project: {
  projectId: string;
  redirectOrigins: readonly string[];
}) => void;

/**
 * In production one line in the log for each project (and process) that sends its buyers to any address: whoever gets
 * hold of its key could send them anywhere.
 */
export function createOpenRedirectWarning(
  logger: Logger,
  { environment }: { environment: string },
): WarnOfOpenRedirects {
  const warned = new Set<string>();
  return ({ projectId, redirectOrigins }) => {
    if (environment !== 'production' || redirectOrigins.length > 0 || warned.has(projectId)) return;
    warned.add(projectId);
    logger.warn('redirect_origins_empty', { project_id: projectId });
  };
}

/**
 * Refuses to send a paying user to an address that the project does not allow. An empty list allows every
 * origin. Throws `invalid_request` that names the fields.
 */
export function checkRedirects(
  allowedOrigins: readonly string[],
  urls: Readonly<Record<string, string>>,
): void {
  if (allowedOrigins.length === 0) return;
  const errors = Object.entries(urls)
    .filter(([, url]) => !allowedOrigins.includes(new URL(url).origin))
    .map(([path]) => ({ path, message: "must lead to one of the project's redirect_origins" }));
  if (errors.length > 0)
    throw new ServiceError(
      'invalid_request',
      'Use addresses of an allowed origin, or have an administrator add theirs to redirect_origins.',
      { errors },
    );
}

/** How the name of a migration ends that versions from before it can't work with. */
const incompatibleSuffix = '_incompatible';

export type MigrationNames = {
  /** Those that this version of the service comes with. */
  known: readonly string[];
  /** Those that the database has. */
  applied: readonly string[];
};

/**
 * Why this version can't work with the database, or null. A migration that it does not know only adds something, unless
 * its name ends in `_incompatible`: so old and new processes run side by side during a deploy.
 */
export function findMigrationProblem({ known, applied }: MigrationNames): string | null {
  const missing = known.find((name) => !applied.includes(name));
  if (missing !== undefined) return `migration ${missing} is missing: run npm run db:migrate`;
  const foreign = applied.find((name) => name.endsWith(incompatibleSuffix) && !known.includes(name));
  return foreign === undefined
    ? null
    : `migration ${foreign} is incompatible with this version: run the version that it came with`;
}

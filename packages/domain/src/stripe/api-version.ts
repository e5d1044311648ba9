/** Releases of Stripe's API since it names them; shapes are read alike whatever the release. */
const releases: ReadonlySet<string> = new Set(['acacia', 'basil', 'clover', 'dahlia', 'endive']);

const dated = /^(\d{4}-\d{2}-\d{2})(?:\.([a-z_]+))?$/;

/**
 * The release an event is rendered in, for a metric: its name, `unnamed` (before 2024-09-30), `none` (the event
 * does not say), `unknown` (newer than this service).
 */
export function apiReleaseOf(version: string | null): string {
  if (version === null) return 'none';
  const [, day = '', name] = dated.exec(version) ?? [];
  if (name !== undefined && releases.has(name)) return name;
  return name === undefined && day !== '' && day < '2024-09-30' ? 'unnamed' : 'unknown';
}

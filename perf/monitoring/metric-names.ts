/** Words of PromQL that stand where a metric's name could. */
const KEYWORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);

/**
 * The metrics that a PromQL expression reads: its identifiers, but for functions, keywords, labels and what is
 * quoted. Good for the rules and panels of this repository, where promtool has checked the syntax.
 */
export function metricNames(expr: string): string[] {
  const bare = expr
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '')
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  const found = bare.matchAll(/(?<![\w:.])([a-zA-Z_:][\w:]*)(?!\s*\(|[\w:])/g);
  const names = Array.from(found, ([name]) => name).filter((name) => !KEYWORDS.has(name.toLowerCase()));
  return [...new Set(names)];
}

export type Rule = {
  /** Of the alert, or of the recorded series. */
  readonly name: string;
  readonly expr: string;
  readonly runbookUrl: string | undefined;
};

/**
 * Reads the rules of a file. It does not parse YAML, only the layout that prettier gives our rule files: one rule a
 * list item, `expr` in one line or as a block.
 */
export function readRules(text: string): Rule[] {
  const parts = text.split(/^ {6}- (?=(?:alert|record): )/m).slice(1);
  return parts.map((part) => {
    const name = /^(?:alert|record): (\S+)/.exec(part)?.[1];
    const block = /^ {8}expr: (?:\||>-?)\n((?: {10,}.*\n?)+)/m.exec(part)?.[1];
    const expr = block ?? /^ {8}expr: (.+)$/m.exec(part)?.[1];
    if (name === undefined || expr === undefined) throw new Error(`No rule can be read in:\n${part}`);
    return { name, expr, runbookUrl: /^ {10}runbook_url: (\S+)/m.exec(part)?.[1] };
  });
}

/** Words of PromQL that stand where a metric's name could. */
const keywords = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);

/** The metrics that a PromQL expression reads: its identifiers without functions, keywords, labels and quoted text. */
export function metricNames(expr: string): string[] {
  const bare = expr
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '')
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  const found = bare.matchAll(/(?<![\w:.])([a-zA-Z_:][\w:]*)(?!\s*\(|[\w:])/g);
  const names = Array.from(found, ([name]) => name).filter((name) => !keywords.has(name.toLowerCase()));
  return [...new Set(names)];
}

export interface Rule {
  /** Of the alert, or of the recorded series. */
  readonly name: string;
  readonly expr: string;
  readonly runbookUrl: string | undefined;
}

/**
 * Reads the rules of a file as far as these tests need them. Not YAML, but the shape that prettier gives our rule
 * files: one rule a list item, `expr` in one line or as a block.
 */
export function readRules(text: string): Rule[] {
  const parts = text.split(/^ {6}- (?=(?:alert|record): )/m).slice(1);
  return parts.map((part) => {
    const name = /^(?:alert|record): (\S+)/.exec(part)?.[1];
    const block = /^ {8}expr: (?:\||>-?)\n((?: {10,}.*\n?)+)/m.exec(part)?.[1];
    const line = /^ {8}expr: (.+)$/m.exec(part)?.[1];
    const expr = block ?? line;
    if (name === undefined || expr === undefined) throw new Error(`No rule can be read in:\n${part}`);
    return { name, expr, runbookUrl: /^ {10}runbook_url: (\S+)/m.exec(part)?.[1] };
  });
}

import type { Invoice, InvoiceLine } from '../stripe-objects.ts';
import type { World } from '../world.ts';

/** As many lines as an invoice shows by itself; the others are listed. */
const mostShown = 10;
/** Previews are stored nowhere; nobody asks for the lines of one much later. */
const mostKept = 100;

const kept = new WeakMap<World['tables'], Map<string, InvoiceLine[]>>();

/** A preview with the first of its lines; the list of all is kept for a while. */
export function showFirstLines({ tables }: Pick<World, 'tables'>, preview: Invoice): Invoice {
  const { id, lines } = preview;
  if (lines.data.length <= mostShown) return preview;
  const all = kept.get(tables) ?? new Map<string, InvoiceLine[]>();
  kept.set(tables, all);
  const [oldest] = all.keys();
  if (all.size >= mostKept && oldest !== undefined) all.delete(oldest);
  all.set(id, lines.data);
  return { ...preview, lines: { ...lines, data: lines.data.slice(0, mostShown), has_more: true } };
}

/** All lines of a preview; undefined: it is none, or is forgotten. */
export const linesOfPreview = ({ tables }: Pick<World, 'tables'>, id: string): InvoiceLine[] | undefined =>
  kept.get(tables)?.get(id);

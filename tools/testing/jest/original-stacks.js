import { findSourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Makes stacks name the lines of the TypeScript. Node would do so by itself, but calls what has no name `<anonymous>`, as
 * most tests are, and jest leaves such lines out.
 */
export function nameOriginalLines() {
  process.setSourceMapsEnabled(true);
  Error.prepareStackTrace = (error, frames) =>
    [Error.prototype.toString.call(error), ...frames.map(describe)].join('\n    at ');
}

function describe(frame) {
  const text = String(frame);
  const url = frame.getFileName() ?? '';
  const map = url.startsWith('file:') ? findSourceMap(url) : undefined;
  const { originalLine, originalColumn } =
    map?.findEntry(frame.getLineNumber() - 1, frame.getColumnNumber() - 1) ?? {};
  if (originalLine === undefined) return text;
  const named = text.split(' (file:')[0];
  const caller = named === text ? text.replace(/file:.*/, 'Object.<anonymous>') : named;
  return `${caller} (${fileURLToPath(url)}:${originalLine + 1}:${originalColumn + 1})`;
}

import { delimiter, dirname, join } from 'node:path';
import { readBlocks, runBlocks, saveFiles } from '@billing/testing';
import type { Check, ProgramName, Source } from './check.ts';
import { findProgram, root } from './run-tool.ts';

type Client = { heading: string; source: Source; needs: readonly ProgramName[] };

/** The parts of docs/clients.md, each with a generator of its own. */
const languages: readonly Client[] = [
  { heading: 'TypeScript', source: 'npm', needs: [] },
  { heading: 'Python', source: 'python', needs: ['python3'] },
  { heading: 'Go', source: 'go', needs: ['go'] },
];
const preparation = 'Before';

/** Follows a part of docs/clients.md literally: saves its files, runs its commands, compares what they print. */
const followPage = ({ heading, source, needs }: Client): Check => ({
  name: `docs/clients.md, ${heading}`,
  source,
  needs,
  run: async ({ checkout: { folder } }) => {
    const blocks = readBlocks(join(root, 'docs/clients.md')).filter((block) =>
      [preparation, heading].includes(block.heading),
    );
    saveFiles(folder, blocks);
    const found = await Promise.all(needs.map(findProgram));
    const folders = found.flatMap((one) => ('folder' in one ? [one.folder] : []));
    const path = [dirname(process.execPath), ...folders, process.env['PATH']].join(delimiter);
    const printed = await runBlocks(blocks, {
      folder,
      env: { ...process.env, PATH: path },
      timeoutMs: 600_000,
    });
    const wrong = printed.filter(({ isAsExpected }) => !isAsExpected);
    if (wrong.length > 0)
      throw new Error(wrong.map((one) => `printed:\n${one.printed}\nnot:\n${one.expected}`).join('\n'));
    if (printed.length === 0) throw new Error(`docs/clients.md shows nothing that ${heading} prints.`);
    return 'generated, compiled, five calls';
  },
});

export const clients = languages.map(followPage);

/** Parts of the page that are run by no check; none, unless a part is new. */
export function partsWithoutCheck(): string[] {
  const parts = readBlocks(join(root, 'docs/clients.md')).map(({ heading }) => heading);
  const known = [preparation, ...languages.map(({ heading }) => heading)];
  return [...new Set(parts)].filter((heading) => !known.includes(heading));
}

import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { baseLine, boundaries, catalog } from './parts.ts';
import { startWorld } from './world.ts';

/*
 * What telling a product of very many users costs: the base line of all while some change, a change of the catalog, and access
 * that ends for all within one minute, with one API and one worker as built (run `npm run build` before). The parts run in this
 * order, or some of them (`--only base-line,catalog`); each checks that nothing was missed.
 */
const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000000' },
    'fan-out-per-second': { type: 'string', default: '1000' },
    'boundaries-per-second': { type: 'string', default: '300' },
    only: { type: 'string' },
    dir: { type: 'string' },
  },
});
const parts = { 'base-line': baseLine, catalog, boundaries };
const only = values.only?.split(',') ?? Object.keys(parts);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
if (values.dir !== undefined) mkdirSync(values.dir, { recursive: true });
const world = await startWorld(
  {
    users: Number(values.users),
    fanOutPerSecond: Number(values['fan-out-per-second']),
    boundariesPerSecond: Number(values['boundaries-per-second']),
    dir: values.dir,
  },
  say,
);
try {
  for (const [name, part] of Object.entries(parts)) if (only.includes(name)) await part(world, say);
} finally {
  await world.stop();
}

import { fileURLToPath } from 'node:url';
import { findTarget, parseOptions, usage } from './options.ts';
import { seedLoad } from './seed-load.ts';

const stackFile = fileURLToPath(new URL('../../../.local/stack.json', import.meta.url));

const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  console.log(usage);
} else {
  try {
    const target = findTarget(process.env, stackFile);
    const lines = await seedLoad(parseOptions(args), target, (line) => console.error(line));
    if (lines.length > 0) console.log(lines.join('\n'));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.error('\nSee `npm run seed:load -- --help`.');
    process.exitCode = 1;
  }
}

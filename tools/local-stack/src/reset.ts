import { rmSync } from 'node:fs';
import { paths } from './paths.ts';
import { runningStart } from './single-instance.ts';

const running = runningStart();
if (running === undefined) {
  rmSync(paths.local, { recursive: true, force: true });
  process.stdout.write(`Deleted ${paths.local}.\n`);
} else {
  process.stderr.write(`npm start runs here (process ${running}): stop it with Ctrl-C first.\n`);
  process.exitCode = 1;
}

import { createInterface } from 'node:readline/promises';
import { runBilling } from './commands/run-billing.ts';
import { localFiles } from './local-files.ts';

async function ask(question: string): Promise<string | null> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return null;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}

process.exitCode = await runBilling(process.argv.slice(2), {
  print: (text) => console.log(text),
  say: (text) => console.error(text),
  ask,
  env: process.env,
  stackPath: localFiles.stack,
});

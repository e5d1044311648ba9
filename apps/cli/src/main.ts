import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { runBilling } from './commands/run-billing.ts';

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
  // The same depth below the repository from `src` and `dist`.
  stackPath: fileURLToPath(new URL('../../../.local/stack.json', import.meta.url)),
});

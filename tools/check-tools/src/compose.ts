import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Check } from './check.ts';
import { buildFromGo, root, tryTool } from './run-tool.ts';

/** What a production asks for; the demo needs nothing. */
const required = (): Record<string, string> => {
  const names = readFileSync(join(root, 'docker-compose.secrets.env'), 'utf8').match(/^\w+(?==)/gm) ?? [];
  return Object.fromEntries(names.map((name) => [name, 'a-value']));
};

const production = ['docker-compose.yml'];
const fromFiles = [...production, 'docker-compose.secrets.yml'];

/** Docker Compose reads the compose files, and insists on what they require. */
export const compose: Check = {
  name: 'docker compose config',
  source: 'go',
  needs: ['go'],
  run: async () => {
    const program = await buildFromGo({
      name: 'docker-compose',
      version: 'v2.40.2',
      package: 'github.com/docker/compose/v2/cmd',
    });
    const config = (files: readonly string[], env: Record<string, string>) =>
      tryTool(program, [...files.flatMap((file) => ['-f', file]), '--profile', '*', 'config', '--quiet'], {
        env: { COMPOSE_DISABLE_ENV_FILE: 'true', ...env },
      });
    for (const files of [production, fromFiles, ['docker-compose.demo.yml']]) {
      const { code, output } = await config(files, required());
      if (code !== 0 || output !== '') throw new Error(`${files.join(' and ')}:\n${output}`);
    }
    const without = await config(production, {});
    if (without.code === 0 || !without.output.includes('is missing a value'))
      throw new Error(`docker-compose.yml starts without its secrets:\n${without.output}`);
    return 'production, its secrets from files, the demo';
  },
};

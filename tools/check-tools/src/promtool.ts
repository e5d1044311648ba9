import { join } from 'node:path';
import type { Check, System } from './check.ts';
import { findProgram, root, runTool, tryTool } from './run-tool.ts';

async function promtool(): Promise<string> {
  const found = await findProgram('promtool');
  if ('missing' in found) throw new Error(found.missing);
  return join(found.folder, 'promtool');
}

/** Prometheus reads the configuration and the rules, and the alerts fire where their tests say so. */
const rules: Check = {
  name: 'promtool, rules',
  source: 'debian',
  needs: ['promtool'],
  run: async () => {
    await runTool('sh', [join(root, 'perf/monitoring/test.sh')], { env: { PROMTOOL: await promtool() } });
    return 'configuration, rules and their tests';
  },
};

/** promtool reads what API and worker export, and its lint has nothing to say. */
const metrics: Check = {
  name: 'promtool, metrics',
  source: 'debian',
  needs: ['promtool'],
  run: async ({ stack }: System) => {
    const program = await promtool();
    const processes = { API: stack.api_url, worker: stack.worker_url };
    const complaints: string[] = [];
    for (const [name, url] of Object.entries(processes)) {
      const input = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) })).text();
      const { code, output } = await tryTool(program, ['check', 'metrics'], { input });
      if (code !== 0) complaints.push(`${name}:\n${output}`);
    }
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
    return 'of API and worker';
  },
};

export const promtoolChecks = [rules, metrics];

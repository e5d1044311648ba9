import { join } from 'node:path';
import { z } from 'zod';
import type { Check } from './check.ts';
import { installFromNpm, root, tryTool } from './run-tool.ts';

const report = z.object({
  totals: z.object({ errors: z.number(), warnings: z.number() }),
  problems: z.array(
    z.object({
      ruleId: z.string(),
      message: z.string(),
      location: z.array(z.object({ pointer: z.string().optional() })),
    }),
  ),
});

/** Redocly's recommended rules have nothing to say about the document. */
export const redocly: Check = {
  name: 'Redocly',
  source: 'npm',
  needs: [],
  run: async () => {
    const programs = await installFromNpm('@redocly/cli', '2.73.0');
    const args = ['lint', '--format=json', join(root, 'docs/openapi.json')];
    const env = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
    const { stdout, output } = await tryTool(join(programs, 'redocly'), args, { env });
    const start = stdout.indexOf('{');
    if (start < 0) throw new Error(output);
    const { totals, problems } = report.parse(JSON.parse(stdout.slice(start)));
    const lines = problems.map(
      ({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer ?? ''}`,
    );
    if (totals.errors + totals.warnings > 0) throw new Error(lines.join('\n'));
    return 'no error and no warning';
  },
};

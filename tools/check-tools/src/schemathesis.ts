import { join } from 'node:path';
import type { Check } from './check.ts';
import { findProgram, root, runTool } from './run-tool.ts';

const version = '4.32.4';

/**
 * What an answer must be: no 5xx, and nothing that the document does not describe. What it forbids is refused, and nobody
 * gets in without a login, or by another method.
 */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'ignored_auth',
  'missing_required_header',
  'unsupported_method',
];

const options = [
  '--phases=examples,coverage,fuzzing',
  '--max-examples=10',
  '--seed=1',
  '--workers=1',
  '--no-color',
];

/** Schemathesis makes requests from the document, right and wrong ones, and every answer is one that it describes. */
export const schemathesis: Check = {
  name: 'Schemathesis',
  source: 'python',
  needs: ['python3'],
  run: async ({ stack }) => {
    const found = await findProgram('python3');
    if ('missing' in found) throw new Error(found.missing);
    const folder = join(root, '.local/check-tools', `schemathesis-${version}`);
    await runTool(join(found.folder, 'python3'), ['-m', 'venv', folder]);
    const pip = ['install', '--quiet', '--disable-pip-version-check', `schemathesis==${version}`];
    await runTool(join(folder, 'bin/pip'), pip);
    const run = async (key: string, ...paths: string[]): Promise<number> => {
      const { output } = await runTool(
        join(folder, 'bin/st'),
        [
          'run',
          `${stack.api_url}/openapi.json`,
          `--checks=${checks.join(',')}`,
          `--header=Authorization: Bearer ${key}`,
          ...options,
          ...paths,
        ],
        { cwd: folder },
      );
      return Number(/(\d+) generated/.exec(output)?.[1] ?? 0);
    };
    const asAdmin = await run(stack.admin_api_key, '--include-path-regex=^/api/v1/admin');
    const asProject = await run(stack.api_key, '--exclude-path-regex=^/api/v1/admin');
    if (asAdmin === 0 || asProject === 0) throw new Error('Schemathesis made no request.');
    return `${asAdmin + asProject} requests; every answer is described, none is a 5xx, and what is forbidden is refused`;
  },
};

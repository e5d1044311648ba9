import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { ConfigError } from './config-error.ts';

type Environment = Record<string, string | undefined>;

/**
 * Parses the variables that `schema` names, and no others. An empty string counts as unset; `X_FILE=/path`
 * is read as `X` (how Docker and Kubernetes mount secrets; one trailing newline is dropped).
 * Throws one ConfigError that names every bad variable and what is expected of it, never its value.
 */
export function parseEnv<S extends z.ZodObject>(schema: S, env: Environment): z.output<S> {
  const problems: string[] = [];
  const values: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const found = lookUp(name, env);
    if (found.problem !== undefined) problems.push(`  ${name}: ${found.problem}`);
    else if (found.value !== undefined) values[name] = found.value;
  }
  const parsed = schema.safeParse(values);
  const reported = new Set(problems.map((problem) => problem.trimStart().split(':', 1)[0]));
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0] ?? 'environment');
    if (reported.has(name)) continue;
    reported.add(name);
    problems.push(
      `  ${name}: ${issue.message} (${values[name] === undefined ? 'it is not set' : 'its value is not'})`,
    );
  }
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new ConfigError(`The configuration can't be used. Set in the environment:\n${problems.join('\n')}`);
}

function lookUp(name: string, env: Environment): { value?: string; problem?: string } {
  const direct = env[name];
  const path = env[`${name}_FILE`];
  if (path === undefined || path === '')
    return direct === undefined || direct === '' ? {} : { value: direct };
  if (direct !== undefined && direct !== '')
    return { problem: `set either ${name} or ${name}_FILE, not both` };
  try {
    const value = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    return value === '' ? {} : { value };
  } catch {
    return { problem: `the file that ${name}_FILE names can't be read` };
  }
}

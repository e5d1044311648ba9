import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import type { z } from 'zod';
import { redactText } from '../logging/redact.ts';
import { isLooselyEncrypted, productionProblem } from './production-rules.ts';
import { relatedProblem } from './related-variables.ts';
import { ignoredParameters } from './url-parameters.ts';

type Environment = Record<string, string | undefined>;

/** The environment can't be used as it is. `message` is complete, for people, and contains no values. */
export class ConfigError extends Error {
  readonly code = 'bad_configuration';
  override readonly name = 'ConfigError';
}

/**
 * Runs a process's `main`. A ConfigError ends the process with exit code 1 and prints its message only: a stack
 * would hide the one line that says what to set. Any other error is printed with its stack, secrets masked.
 */
export async function exitOnConfigError(main: () => void | Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    const text = error instanceof ConfigError ? error.message : redactText(inspect(error));
    process.stderr.write(`${text}\n`);
    process.exit(1);
  }
}

/**
 * Parses the variables that `schema` names, and no others. An empty string counts as unset; `X_FILE=/path`
 * is read as `X` (how Docker and Kubernetes mount secrets; one trailing newline is dropped). In production more is refused
 * (`productionProblem`).
 * Throws one ConfigError that names every bad variable and what is expected of it, never its value.
 */
export function parseEnv<S extends z.ZodObject>(schema: S, env: Environment): z.output<S> {
  const problems = new Map<string, string>();
  const valueOf = (name: string): string | undefined => lookUp(name, env).value;
  const isProduction = valueOf('NODE_ENV')?.trim() === 'production';
  const values: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const found = lookUp(name, env);
    if (found.problem !== undefined) problems.set(name, found.problem);
    if (found.value === undefined) continue;
    values[name] = found.value;
    const problem =
      (isProduction ? productionProblem(name, found.value, valueOf) : undefined) ??
      relatedProblem(name, found.value, valueOf);
    if (problem !== undefined) problems.set(name, problem);
  }
  const parsed = schema.safeParse(values);
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0] ?? 'environment');
    const state = values[name] === undefined ? 'it is not set' : 'its value is not';
    if (!problems.has(name)) problems.set(name, `${issue.message} (${state})`);
  }
  if (parsed.success && problems.size === 0) return parsed.data;
  const lines = [...problems].map(([name, problem]) => `  ${name}: ${problem}`);
  throw new ConfigError(`The configuration can't be used. Set in the environment:\n${lines.join('\n')}`);
}

/** A setting with which a process starts, and that somebody should look at: the event of its line in the log. */
export type SettingWarning = {
  readonly event: 'setting_has_no_effect' | 'connection_may_be_unencrypted' | 'webhooks_may_be_unencrypted';
  readonly variable: string;
  readonly parameter: string;
};

/**
 * What is set and has no effect (in production it is refused), databases outside of private networks whose URL does not ask
 * for encryption, and webhooks that may go in the clear in production.
 */
export function findSettingWarnings(schema: z.ZodObject, env: Environment): SettingWarning[] {
  const isProduction = lookUp('NODE_ENV', env).value?.trim() === 'production';
  return Object.keys(schema.shape).flatMap((variable): SettingWarning[] => {
    const value = lookUp(variable, env).value ?? '';
    const ignored = ignoredParameters(variable, value).map(
      (parameter) => ({ event: 'setting_has_no_effect', variable, parameter }) as const,
    );
    if (variable === 'WEBHOOK_ALLOW_HTTP' && value.trim() === 'true' && isProduction)
      return [{ event: 'webhooks_may_be_unencrypted', variable, parameter: 'true' }];
    return isLooselyEncrypted(variable, value)
      ? [...ignored, { event: 'connection_may_be_unencrypted', variable, parameter: 'sslmode' }]
      : ignored;
  });
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

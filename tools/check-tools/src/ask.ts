import type { System } from './check.ts';

/** Asks the API, as an administrator or as the demo project's backend; the answer's text. Throws where it is no success. */
export async function ask(
  { stack }: System,
  path: string,
  as: 'admin' | 'project' = 'admin',
): Promise<string> {
  const key = as === 'admin' ? stack.admin_api_key : stack.api_key;
  const response = await fetch(`${stack.api_url}${path}`, {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${text}`);
  return text;
}

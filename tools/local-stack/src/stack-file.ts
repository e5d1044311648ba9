import { writeJsonFile } from '@billing/platform';
import { paths } from './paths.ts';

/** `.local/stack.json`: where everything is, for tools and tests. A pid is null for what was not started here. */
export type StackFile = {
  readonly api_url: string;
  readonly worker_url: string;
  readonly stripe_url: string;
  readonly database_url: string;
  readonly redis_url: string;
  readonly project_id: string;
  readonly api_key: string;
  readonly admin_api_key: string;
  readonly webhook_secret: string;
  readonly prices: { readonly subscription: string; readonly payment: string };
  readonly pids: Readonly<Record<'api' | 'worker' | 'stripe' | 'postgres' | 'redis', number | null>>;
};

export function writeStackFile(stack: StackFile): void {
  writeJsonFile(paths.stack, stack);
}

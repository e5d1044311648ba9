import { createdApiKey, entitlementsResponse } from '@billing/domain';
import type { EntitlementOut, EntitlementsResponse, ExplanationOut } from '@billing/domain';
import type { Command } from 'commander';
import { z } from 'zod';
import { path } from './admin-client.ts';
import { globalsOf } from './context.ts';
import type { Context } from './context.ts';
import { renderFields, renderTable } from './table.ts';

/** Far longer than one check takes; the key expires soon if this process dies. */
const keyLivesMs = 60_000;

/**
 * Checks as the project does. A check takes a project key: the one given, else one that may only read, created
 * for this check and revoked after it (the audit log shows both).
 */
async function check(context: Context, { project, user, apiKey }: Check): Promise<EntitlementsResponse> {
  const call = { path: '/entitlements', query: { user_id: user, explain: true } };
  if (apiKey !== undefined) {
    // `project_id` proves that the key is this project's.
    const query = { ...call.query, project_id: project };
    return context.call(entitlementsResponse, { ...call, query, apiKey });
  }
  const keys = path`/admin/projects/${project}/api-keys`;
  const expiresAt = new Date(Date.now() + keyLivesMs).toISOString();
  const body = { name: 'billing explain', scopes: ['read'], expires_at: expiresAt };
  const key = await context.call(createdApiKey, { method: 'POST', path: keys, body });
  try {
    return await context.call(entitlementsResponse, { ...call, apiKey: key.api_key });
  } finally {
    await context.call(z.undefined(), {
      method: 'DELETE',
      path: `${keys}/${encodeURIComponent(key.key_id)}`,
    });
  }
}

type Check = { project: string; user: string; apiKey: string | undefined };

export function addExplain(program: Command, context: Context): void {
  program
    .command('explain <project> <user>')
    .description('What a user may do, and why: every subscription, purchase and grant, in force or not')
    .option(
      '--api-key <key>',
      'a key of the project (default: BILLING_API_KEY, else one is made and revoked)',
    )
    .action(async (project: string, user: string, options: { apiKey?: string }, command: Command) => {
      const apiKey = options.apiKey ?? (context.env['BILLING_API_KEY'] || undefined);
      const answer = await check(context, { project, user, apiKey });
      context.print(globalsOf(command).json ? JSON.stringify(answer) : render(answer));
    });
}

/** What a source gives of limits and metered features, and why so much. */
const givenBy = ({ usage = [] }: ExplanationOut): string[] =>
  usage.map(({ feature_code: code, gives, why }) => `${code}: ${gives ?? 'unlimited'} (${why})`);

/** How much of it, before anything was used. */
function muchOf({ kind, limit, allowance, period_end: end }: EntitlementOut): string | null {
  if (kind === 'limit') return limit === null ? 'no limit' : `${limit}`;
  if (kind !== 'metered') return null;
  const much = allowance === null ? 'unlimited' : `${allowance}`;
  return end === null ? much : `${much} until ${end}`;
}

function render(answer: EntitlementsResponse): string {
  const { entitlements, explanation = [] } = answer;
  const about = renderFields({
    user: answer.user_id,
    project: answer.project_id,
    version: answer.version,
    'changes by itself': answer.valid_until ?? 'never',
  });
  const may =
    entitlements.length === 0
      ? 'No entitlement is in force.'
      : renderTable(
          ['may', 'until', 'quantity', 'by', 'id', 'how much'],
          entitlements.map((one) => [
            one.feature_code,
            one.valid_to ?? 'no end',
            one.quantity,
            one.source,
            one.source_id,
            muchOf(one),
          ]),
        );
  const why =
    explanation.length === 0
      ? 'This user is unknown: no subscription, purchase or grant. Check the user id (it is compared byte by byte), and `quarantine` for payments without a known user.'
      : renderTable(
          ['source', 'id', 'counts', 'why', 'status', 'features', 'gives', 'owner by', 'last event'],
          explanation.map((one) => [
            one.source,
            one.source_id,
            one.in_force,
            one.reason,
            one.status,
            one.feature_codes,
            givenBy(one),
            one.owner_source ?? null,
            one.last_event === null ? null : `${one.last_event.type} ${one.last_event.created}`,
          ]),
        );
  return [about, may, why].join('\n\n');
}

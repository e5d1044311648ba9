import { apiKeyList, createdApiKey } from '@billing/domain';
import type { Command } from 'commander';
import { z } from 'zod';
import { path } from './admin-client.ts';
import { commaList, confirm, given, list, moment, pageable, show } from './context.ts';
import type { Context } from './context.ts';

export function addKeys(program: Command, context: Context): void {
  const keys = program.command('keys').description('API keys of a project');
  pageable(keys.command('list <project>').description('Keys and their last use')).action(
    (project: string, _options, command: Command) =>
      list(context, command, {
        schema: apiKeyList,
        call: { path: path`/admin/projects/${project}/api-keys` },
        headings: ['key', 'begins with', 'name', 'may', 'last used', 'expires', 'revoked'],
        row: (key) => [
          key.key_id,
          key.prefix,
          key.name,
          key.scopes,
          key.last_used_at,
          key.expires_at,
          key.revoked_at,
        ],
        empty: 'This project has no key yet: keys create <project>.',
      }),
  );
  keys
    .command('create <project>')
    .description('Make a key; it is shown this once')
    .option('--name <name>', 'for people')
    .option('--expires <when>', 'date or timestamp (default: never)', moment)
    .option('--scopes <list>', 'read, checkout (default: both)', commaList)
    .action(
      async (
        project: string,
        options: { name?: string; expires?: string; scopes?: string[] },
        command: Command,
      ) => {
        const body = given({ name: options.name, expires_at: options.expires, scopes: options.scopes });
        const made = await context.call(createdApiKey, {
          method: 'POST',
          path: path`/admin/projects/${project}/api-keys`,
          body,
        });
        const fields = (key: typeof made) => ({
          key: key.key_id,
          'api key': key.api_key,
          may: key.scopes,
          expires: key.expires_at ?? 'never',
        });
        show(context, command, made, { fields });
        context.say('Keep the api key now: it is never shown again.');
      },
    );
  keys
    .command('revoke <project> <key_id>')
    .description('End a key, everywhere within a second')
    .action(async (project: string, keyId: string, _options, command: Command) => {
      await confirm(context, command, `The key ${keyId} will be refused from now on, for good.`);
      await context.call(z.undefined(), {
        method: 'DELETE',
        path: path`/admin/projects/${project}/api-keys/${keyId}`,
      });
      show(
        context,
        command,
        { key_id: keyId, revoked: true },
        { fields: (one) => ({ key: one.key_id, revoked: true }) },
      );
    });
}

import { apiKeyList, createdApiKey } from '@billing/domain';
import type { Command } from 'commander';
import { z } from 'zod';
import { path } from './admin-client.ts';
import { callAndShow, commaList, confirm, given, globalsOf, list, moment, pageable } from './context.ts';
import type { Context } from './context.ts';
import { renderFields } from './table.ts';

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
    .action((project: string, options: KeyOptions, command: Command) =>
      createKey(context, command, { project, options }),
    );
  keys
    .command('revoke <project> <key_id>')
    .description('End a key, everywhere within a second')
    .action(async (project: string, keyId: string, ...[, command]: [object, Command]) => {
      await confirm(context, command, `The key ${keyId} will be refused from now on, for good.`);
      const keyPath = path`/admin/projects/${project}/api-keys/${keyId}`;
      await context.call(z.undefined(), { method: 'DELETE', path: keyPath });
      const answer = { key_id: keyId, revoked: true };
      context.print(
        globalsOf(command).json ? JSON.stringify(answer) : renderFields({ key: keyId, revoked: true }),
      );
    });
}

type KeyOptions = { name?: string; expires?: string; scopes?: string[] };

async function createKey(
  context: Context,
  command: Command,
  { project, options }: { project: string; options: KeyOptions },
): Promise<void> {
  const { name, expires, scopes } = options;
  await callAndShow(context, command, {
    method: 'POST',
    path: path`/admin/projects/${project}/api-keys`,
    body: given({ name, expires_at: expires, scopes }),
    schema: createdApiKey,
    fields: (key) => ({
      key: key.key_id,
      'api key': key.api_key,
      may: key.scopes,
      expires: key.expires_at ?? 'never',
    }),
  });
  context.say('Keep the api key now: it is never shown again.');
}

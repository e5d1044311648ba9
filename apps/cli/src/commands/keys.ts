import { apiKeyList, createdApiKey, rotatedApiKey } from '@billing/domain';
import type { CreatedApiKey } from '@billing/domain';
import type { Command } from 'commander';
import { z } from 'zod';
import { path } from './admin-client.ts';
import {
  callAndShow,
  commaList,
  confirm,
  dryRunOption,
  given,
  hours,
  isDryRun,
  list,
  moment,
  pageable,
  wholeNumber,
} from './context.ts';
import type { Context } from './context.ts';

type RotateOptions = { overlap?: number; expires?: string };

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
    .option(...dryRunOption)
    .option('--name <name>', 'for people')
    .option('--expires <when>', 'date or timestamp (default: never)', moment)
    .option('--scopes <list>', 'read, checkout, usage (default: all)', commaList)
    .option('--allowed-ips <list>', 'networks that it may be used from (default: any)', commaList)
    .option('--rate-limit <n>', 'requests a second (default: as the service is set)', wholeNumber)
    .action((project: string, options: KeyOptions, command: Command) =>
      createKey(context, command, { project, options }),
    );
  keys
    .command('rotate <project> <key_id>')
    .description('Make a key with the same rights; the old one ends by itself')
    .option(...dryRunOption)
    .option('--overlap <hours>', 'how long the old key stays valid (default: 24)', hours)
    .option('--expires <when>', 'date or timestamp of the new key (default: never)', moment)
    .action((project: string, keyId: string, ...[options, command]: [RotateOptions, Command]) =>
      rotateKey(context, command, { project, keyId, ...options }),
    );
  keys
    .command('revoke <project> <key_id>')
    .description('End a key, everywhere within a second')
    .option(...dryRunOption)
    .action(async (project: string, keyId: string, ...[, command]: [object, Command]) => {
      await confirm(context, command, `The key ${keyId} will be refused from now on, for good.`);
      const keyPath = path`/admin/projects/${project}/api-keys/${keyId}`;
      const schema = z.undefined().transform(() => ({ key_id: keyId, revoked: true }));
      const fields = () => ({ key: keyId, revoked: true });
      await callAndShow(context, command, { method: 'DELETE', path: keyPath, schema, fields });
    });
}

type KeyOptions = {
  name?: string;
  expires?: string;
  scopes?: string[];
  allowedIps?: string[];
  rateLimit?: number;
};

/** A key as it is shown this once. */
const shownKey = (key: CreatedApiKey) => ({
  key: key.key_id,
  'api key': key.api_key,
  may: key.scopes,
  from: key.allowed_ips.length === 0 ? 'anywhere' : key.allowed_ips,
  'a second': key.rate_limit_per_second ?? 'as the service is set',
  expires: key.expires_at ?? 'never',
});

type Rotation = { project: string; keyId: string; overlap?: number; expires?: string };

async function rotateKey(context: Context, command: Command, rotation: Rotation): Promise<void> {
  const { project, keyId, overlap, expires } = rotation;
  await callAndShow(context, command, {
    method: 'POST',
    path: path`/admin/projects/${project}/api-keys/${keyId}/rotate`,
    body: given({ overlap_hours: overlap, expires_at: expires }),
    schema: rotatedApiKey,
    fields: (key) => ({
      ...shownKey(key),
      'old key': key.replaces.key_id,
      'ends by itself': key.replaces.expires_at,
    }),
  });
  if (!isDryRun(command)) context.say('Keep the api key now: it is never shown again.');
}

async function createKey(
  context: Context,
  command: Command,
  { project, options }: { project: string; options: KeyOptions },
): Promise<void> {
  const { name, expires, scopes, allowedIps, rateLimit } = options;
  await callAndShow(context, command, {
    method: 'POST',
    path: path`/admin/projects/${project}/api-keys`,
    body: given({
      name,
      expires_at: expires,
      scopes,
      allowed_ips: allowedIps,
      rate_limit_per_second: rateLimit,
    }),
    schema: createdApiKey,
    fields: shownKey,
  });
  if (!isDryRun(command)) context.say('Keep the api key now: it is never shown again.');
}

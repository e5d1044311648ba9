import { foundUserList, timelineKinds, timelineList, userOut } from '@billing/domain';
import type { UserOut } from '@billing/domain';
import { Option } from 'commander';
import type { Command } from 'commander';
import { path } from './admin-client.ts';
import { globalsOf, list, pageable, queryOf } from './context.ts';
import type { Context, Filter } from './context.ts';
import { renderFields, renderTable, tableIfAny } from './table.ts';

export function addFind(program: Command, context: Context): void {
  program
    .command('find <id>')
    .description("Whose something is: a user, a key's prefix, or any id of Stripe's")
    .option('--project <project>', 'only in this project')
    .action(async (id: string, { project }: { project?: string }, command: Command) => {
      const query = { query: id, project_id: project };
      const found = await context.call(foundUserList, { path: '/admin/users', query });
      if (globalsOf(command).json) return context.print(JSON.stringify(found));
      const rows = found.data.map((one) => [
        one.project_id,
        one.user_id,
        one.key_id,
        one.matched,
        one.matched_id,
        one.owner_source,
      ]);
      const headings = ['project', 'user', 'key', 'by', 'id', 'owner by'];
      context.print(rows.length === 0 ? 'Nothing here has that id.' : renderTable(headings, rows));
    });
}

const renderUser = (user: UserOut): string =>
  [
    renderFields({
      project: user.project_id,
      user: user.user_id,
      known: `since ${user.created_at}`,
      customers: user.customers.map((one) => one.stripe_customer_id),
    }),
    ...tableIfAny(
      ['feature', 'until', 'source', 'id', 'status'],
      user.entitlements.map((one) => [
        one.feature_code,
        one.valid_to ?? 'no end',
        one.source,
        one.source_id,
        one.status,
      ]),
    ),
    ...tableIfAny(
      ['source', 'id', 'reason'],
      user.explanation.map((one) => [one.source, one.source_id, one.reason]),
    ),
  ].join('\n\n');

/** The group of commands about one user. */
export function addUsers(program: Command, context: Context): void {
  const users = program.command('users').description('All about one user');
  users
    .command('show <project> <user>')
    .description('Customers, what the user may do, and why')
    .action(async (project: string, user: string, ...rest: [object, Command]) => {
      const found = await context.call(userOut, { path: path`/admin/users/${project}/${user}` });
      context.print(globalsOf(rest[1]).json ? JSON.stringify(found) : renderUser(found));
    });
  pageable(
    users
      .command('timeline <project> <user>')
      .description("Stripe's events, grants, usage, webhooks and changes by hand, newest first"),
  )
    .addOption(new Option('--kind <kind>', 'of one kind').choices(timelineKinds))
    .action((project: string, user: string, ...rest: [Filter, Command]) =>
      list(context, rest[1], {
        schema: timelineList,
        call: {
          path: path`/admin/users/${project}/${user}/timeline`,
          query: queryOf({ kind: rest[0]['kind'] }),
        },
        headings: ['at', 'kind', 'what', 'about', 'status', 'quantity', 'by', 'id', 'reason'],
        row: (one) => [
          one.at,
          one.kind,
          one.action,
          one.subject,
          one.status,
          one.quantity,
          one.actor,
          one.id,
          one.reason,
        ],
        empty: 'Nothing is known to have happened.',
      }),
    );
}

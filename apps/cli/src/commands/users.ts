import { foundUserList } from '@billing/domain';
import type { Command } from 'commander';
import { globalsOf } from './context.ts';
import type { Context } from './context.ts';
import { renderTable } from './table.ts';

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

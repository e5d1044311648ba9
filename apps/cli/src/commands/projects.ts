import { policyPatch, projectList, projectOut } from '@billing/domain';
import type { ProjectOut } from '@billing/domain';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { path } from './admin-client.ts';
import { checkoutDefault, checkoutFields } from './checkout-defaults.ts';
import {
  callAndShow,
  commaList,
  confirm,
  dryRunOption,
  given,
  list,
  pageable,
  requireChange,
} from './context.ts';
import type { Context } from './context.ts';

const fields = (project: ProjectOut) => ({
  project: project.project_id,
  name: project.name,
  description: project.description,
  active: project.is_active,
  'redirect origins': project.redirect_origins.length === 0 ? 'any https' : project.redirect_origins,
  ...Object.fromEntries(Object.entries(project.policy).map(([key, value]) => [`policy ${key}`, value])),
  ...checkoutFields(project.checkout_defaults),
  'portal configuration': project.portal_configuration,
  created: project.created_at,
});

type PolicyValue = string | number | null;

/** `unpaid=allow`, `past_due_grace_days=14`, `dispute=default`. */
function policyEntry(text: string, before: Record<string, PolicyValue> = {}): Record<string, PolicyValue> {
  const [key = '', value = ''] = text.split('=', 2);
  const parsed = value === 'default' ? null : /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  const policy = { ...before, [key]: parsed };
  const checked = policyPatch.safeParse(policy);
  if (!checked.success)
    throw new InvalidArgumentError(
      `${checked.error.issues[0]?.message ?? 'is not valid'}. Write key=value (or key=default), such as past_due_grace_days=14.`,
    );
  return policy;
}

type Patch = {
  name?: string;
  description?: string;
  activate?: boolean;
  deactivate?: boolean;
  policy?: object;
  redirectOrigins?: string[];
  checkoutDefault?: object;
  portalConfiguration?: string;
};

export function addProjects(program: Command, context: Context): void {
  const projects = program.command('projects').description('Projects: a product backend and its users');
  pageable(projects.command('list').description('All projects')).action((_options, command: Command) =>
    list(context, command, {
      schema: projectList,
      call: { path: '/admin/projects' },
      headings: ['project', 'name', 'active', 'created'],
      row: (one) => [one.project_id, one.name, one.is_active, one.created_at],
      empty: 'There is no project yet: projects create <project>.',
    }),
  );
  projects
    .command('show <project>')
    .description('One project and the policy in force')
    .action((project: string, _options, command: Command) =>
      callAndShow(context, command, {
        path: path`/admin/projects/${project}`,
        schema: projectOut,
        fields,
      }),
    );
  projects
    .command('create <project>')
    .description('Make a project; its id stays for ever')
    .option(...dryRunOption)
    .requiredOption('--name <name>', 'for people')
    .option('--description <text>')
    .action((project: string, { name, description }: Patch, command: Command) => {
      const body = { project_id: project, ...given({ name, description }) };
      const call = { method: 'POST' as const, path: '/admin/projects', body };
      return callAndShow(context, command, { ...call, schema: projectOut, fields });
    });
  projects
    .command('update <project>')
    .description('Change a project; what is not given stays')
    .option(...dryRunOption)
    .option('--name <name>')
    .option('--description <text>')
    .option('--activate', 'its keys work again')
    .option('--deactivate', 'its keys are refused from now on')
    .option('--policy <key=value>', 'an access rule, repeatable; key=default resets it', policyEntry)
    .option(
      '--redirect-origins <list>',
      'where checkout may lead back to, comma-separated; "" allows any https',
      commaList,
    )
    .option(
      '--checkout-default <key=value>',
      'what a checkout does where its request does not say it, repeatable; key=default takes it away',
      checkoutDefault,
    )
    .option('--portal-configuration <id>', 'of the portal at Stripe (bpc_…); "": the default of the account')
    .action((project: string, options: Patch, command: Command) =>
      update(context, command, { project, options }),
    );
}

async function update(
  context: Context,
  command: Command,
  { project, options }: { project: string; options: Patch },
): Promise<void> {
  const { name, description, activate, deactivate, policy, redirectOrigins, portalConfiguration } = options;
  const body = requireChange(
    given({
      name,
      description,
      is_active: deactivate ? false : activate,
      policy,
      redirect_origins: redirectOrigins,
      checkout_defaults: options.checkoutDefault,
      portal_configuration: portalConfiguration === '' ? null : portalConfiguration,
    }),
  );
  if (deactivate) await confirm(context, command, `Every check and checkout of ${project} will be refused.`);
  if (policy !== undefined)
    await confirm(context, command, `This may give or take access of every user of ${project}.`);
  const call = { method: 'PATCH' as const, path: path`/admin/projects/${project}`, body };
  await callAndShow(context, command, { ...call, schema: projectOut, fields });
}

import { featureKinds, featureList, featureOut } from '@billing/domain';
import type { FeatureOut } from '@billing/domain';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { path } from './admin-client.ts';
import { CliError } from './cli-error.ts';
import { callAndShow, commaList, dryRunOption, given, list, pageable, requireChange } from './context.ts';
import type { Context } from './context.ts';

const featureFields = (feature: FeatureOut) => ({
  feature: feature.feature_code,
  kind: feature.kind,
  name: feature.name,
  unit: feature.unit,
  counted: feature.counted,
  thresholds: feature.thresholds.map(String),
  meter: feature.stripe_meter?.event_name,
  reports: feature.stripe_meter?.report,
});

/** `80,100` → `[80, 100]`; an empty text: none. */
const percents = (text: string): number[] =>
  commaList(text).map((one) => {
    if (!/^\d{1,4}$/.test(one)) throw new InvalidArgumentError('Give whole percents, such as 80,100.');
    return Number(one);
  });

type FeatureOptions = {
  kind?: string;
  name?: string;
  unit?: string;
  counted?: boolean;
  thresholds?: number[];
  meter?: string;
  report?: 'all' | 'overage';
};

const withFields = (command: Command): Command =>
  command
    .option(...dryRunOption)
    .option('--name <name>', 'for people; an empty text: none')
    .option('--unit <unit>', 'what is counted, for people: call, seat; an empty text: none')
    .option('--counted', 'of a limit: usage raises and lowers a level (seats in use)')
    .option('--thresholds <list>', 'percents whose reaching is told, comma-separated', percents)
    .option('--meter <event name>', 'the meter of Stripe that usage is reported to; an empty text: none')
    .addOption(
      new Option('--report <what>', 'what the meter is told (default: all)').choices(['all', 'overage']),
    );

export function addFeatures(program: Command, context: Context): void {
  const features = program
    .command('features')
    .description('Features: what a code stands for; one that is not described is boolean');
  pageable(features.command('list <project>').description('The codes that are described')).action(
    (project: string, _options, command: Command) =>
      list(context, command, {
        schema: featureList,
        call: { path: path`/admin/projects/${project}/features` },
        headings: ['feature', 'kind', 'counted', 'unit', 'name', 'thresholds'],
        row: (one) => [
          one.feature_code,
          one.kind,
          one.counted,
          one.unit,
          one.name,
          one.thresholds.map(String),
        ],
        empty:
          'No code is described, so all are boolean: features create <project> <feature> --kind metered.',
      }),
  );
  features
    .command('show <project> <feature>')
    .description('What a code stands for')
    .action(async (project: string, feature: string, _options, command: Command) => {
      const call = { path: path`/admin/projects/${project}/features/${feature}` };
      await callAndShow(context, command, { ...call, schema: featureOut, fields: featureFields });
    });
  withFields(features.command('create <project> <feature>').description('Say what a code stands for'))
    .addOption(new Option('--kind <kind>').choices(featureKinds).makeOptionMandatory())
    .action(async (project: string, feature: string, options: FeatureOptions, command: Command) => {
      const body = { feature_code: feature, ...bodyOf(options, undefined) };
      const call = { method: 'POST' as const, path: path`/admin/projects/${project}/features`, body };
      await callAndShow(context, command, { ...call, schema: featureOut, fields: featureFields });
    });
  withFields(features.command('update <project> <feature>').description('Change it; what is not given stays'))
    .option('--no-counted', 'no level')
    .addOption(new Option('--kind <kind>', 'only while nothing has the code').choices(featureKinds))
    .action(async (project: string, feature: string, options: FeatureOptions, command: Command) => {
      const body = requireChange(bodyOf(options, null));
      const call = {
        method: 'PATCH' as const,
        path: path`/admin/projects/${project}/features/${feature}`,
        body,
      };
      await callAndShow(context, command, { ...call, schema: featureOut, fields: featureFields });
    });
}

/** `none`: what an empty text stands for, which takes away what is there. */
function bodyOf({ meter, report, ...fields }: FeatureOptions, none: null | undefined) {
  const { kind, counted, thresholds } = fields;
  if (report !== undefined && !meter)
    throw new CliError('usage', 'Name the meter that is told: --meter <event name> beside --report.');
  const orNone = (text: string | undefined) => (text === '' ? none : text);
  const told = meter ? { event_name: meter, report: report ?? 'all' } : orNone(meter);
  const texts = { name: orNone(fields.name), unit: orNone(fields.unit) };
  return given({ kind, ...texts, counted, thresholds, stripe_meter: told });
}

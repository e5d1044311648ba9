import { featureKind, featureOut, stripeMeterOut } from '@billing/domain';
import type { FeatureOut } from '@billing/domain';
import type { Feature } from '@billing/store';
import { datesExample, presentDates } from '../page.ts';

export const presentFeature = (row: Feature): FeatureOut => ({
  project_id: row.projectId,
  feature_code: row.featureCode,
  name: row.name,
  kind: featureKind.parse(row.kind),
  unit: row.unit,
  counted: row.counted,
  thresholds: row.thresholds,
  stripe_meter: row.stripeMeter === null ? null : stripeMeterOut.parse(row.stripeMeter),
  ...presentDates(row),
});

export const featureExample = {
  project_id: 'shop',
  feature_code: 'api_calls',
  name: 'API calls',
  kind: 'metered',
  unit: 'call',
  counted: false,
  thresholds: [80, 100],
  stripe_meter: { event_name: 'api_calls', report: 'overage' },
  ...datesExample,
};

export const featureAnswer = { description: 'The feature.', schema: featureOut, example: featureExample };

import { featureKind, featureOut } from '@billing/domain';
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
  ...datesExample,
};

export const featureAnswer = { description: 'The feature.', schema: featureOut, example: featureExample };

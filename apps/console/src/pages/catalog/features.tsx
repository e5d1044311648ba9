import type { FeatureOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import { useList } from '../../api/reads.ts';
import { ActionButton } from '../../parts/action.tsx';
import { CopyableId } from '../../parts/copyable-id.tsx';
import { ListTable } from '../../parts/list.tsx';
import { Section } from '../../parts/page.tsx';
import { changeFeature, createFeature } from './feature-actions.ts';

const kindOf = ({ kind, counted, unit }: FeatureOut): string =>
  [counted ? 'counted limit' : kind, ...(unit === null ? [] : [`in ${unit}`])].join(', ');

export function Features({ projectId }: { projectId: string }) {
  const list = useList<FeatureOut>(pathOf`/api/v1/admin/projects/${projectId}/features`);
  return (
    <Section title="Features" actions={<ActionButton action={createFeature(projectId)} variant="filled" />}>
      <ListTable
        name="Features"
        list={list}
        keyOf={({ feature_code: code }) => code}
        empty="None is described. Codes that are on or off need no description."
        columns={[
          { name: 'Code', cell: ({ feature_code: code }) => <CopyableId id={code} /> },
          { name: 'Name', cell: ({ name }) => <span className="value">{name ?? '–'}</span> },
          { name: 'Kind', cell: kindOf },
          {
            name: 'Thresholds',
            cell: ({ thresholds }) => thresholds.map((one) => `${one} %`).join(', ') || '–',
          },
          { name: 'Meter of Stripe', cell: ({ stripe_meter: meter }) => meter?.event_name ?? '–' },
          {
            name: 'Actions',
            cell: (feature) => (
              <ActionButton action={changeFeature(feature)} label={`Change ${feature.feature_code}`} />
            ),
          },
        ]}
      />
    </Section>
  );
}

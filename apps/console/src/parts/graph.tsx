import { Skeleton } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { DataTable } from './data-table.tsx';
import type { Point, Series } from './graph-type.ts';
import { Empty } from './states.tsx';

const Lines = lazy(async () => ({ default: (await import('./line-chart.tsx')).Lines }));

type Props = { name: string; points: readonly Point[]; series: readonly Series[] };

/** A graph, and the same as a table for who cannot see it. */
export function Graph({ name, points, series }: Props) {
  if (points.length === 0) return <Empty>Nothing was recorded in this time.</Empty>;
  return (
    <figure className="graph" aria-label={name}>
      <div aria-hidden>
        <Suspense fallback={<Skeleton h={220} />}>
          <Lines points={points} series={series} />
        </Suspense>
      </div>
      <figcaption>
        <details>
          <summary>{name} as a table</summary>
          <DataTable
            name={name}
            rows={points}
            keyOf={({ at }) => at}
            columns={[
              { name: 'When', cell: ({ at }) => at },
              ...series.map((one) => ({
                name: one.label,
                cell: (point: Point) => point[one.name] ?? '–',
                isNumber: true,
              })),
            ]}
          />
        </details>
      </figcaption>
    </figure>
  );
}

import '@mantine/charts/styles.css';
import { LineChart } from '@mantine/charts';
import type { Point, Series } from './graph-type.ts';

const isKnown = (point: Point | undefined, name: string): boolean => typeof point?.[name] === 'number';

/** Whether a value stands between two gaps: no line leads to it, so only a dot shows it. */
const hasLoneValue = (points: readonly Point[], series: readonly Series[]): boolean =>
  points.some((point, index) =>
    series.some(
      ({ name }) =>
        isKnown(point, name) && !isKnown(points[index - 1], name) && !isKnown(points[index + 1], name),
    ),
  );

/** Loaded only where a page shows a graph: its library is most of the console. */
export function Lines({ points, series }: { points: readonly Point[]; series: readonly Series[] }) {
  return (
    <LineChart
      h={220}
      data={[...points]}
      dataKey="at"
      series={series.map(({ name, label, colour }) => ({ name, label, color: `${colour}.7` }))}
      withDots={hasLoneValue(points, series)}
      dotProps={{ r: 3 }}
      withLegend
      curveType="linear"
      connectNulls={false}
      tickLine="none"
      lineChartProps={{ accessibilityLayer: false }}
      lineProps={{ isAnimationActive: false }}
    />
  );
}

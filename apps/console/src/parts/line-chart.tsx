import '@mantine/charts/styles.css';
import { LineChart } from '@mantine/charts';
import type { Point, Series } from './graph-type.ts';

/** Loaded only where a page shows a graph: its library is most of the console. */
export function Lines({ points, series }: { points: readonly Point[]; series: readonly Series[] }) {
  return (
    <LineChart
      h={220}
      data={[...points]}
      dataKey="at"
      series={series.map(({ name, label, colour }) => ({ name, label, color: `${colour}.7` }))}
      withDots={points.length < 3}
      withLegend
      curveType="linear"
      connectNulls={false}
      tickLine="none"
      lineChartProps={{ accessibilityLayer: false }}
      lineProps={{ isAnimationActive: false }}
    />
  );
}

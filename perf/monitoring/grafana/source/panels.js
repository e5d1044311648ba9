/** Grafana panels, with the defaults that all dashboards share. */

const datasource = { type: 'prometheus', uid: 'prometheus' };
const columns = 24;

/** `['expression', 'legend']` pairs, as Grafana's targets. */
function targetsOf(queries, { hasExemplars = false } = {}) {
  return queries.map(([expr, legendFormat], index) => ({
    datasource,
    ...(hasExemplars ? { exemplar: true } : {}),
    editorMode: 'code',
    expr,
    legendFormat,
    range: true,
    refId: String.fromCodePoint(65 + index),
  }));
}

/** Green, and red from `limit` on (or below it, where less is worse). */
function thresholdsOf({ limit, isLowBad = false } = {}) {
  if (limit === undefined) return { mode: 'absolute', steps: [{ value: null, color: 'green' }] };
  const [below, above] = isLowBad ? ['red', 'green'] : ['green', 'red'];
  return {
    mode: 'absolute',
    steps: [
      { value: null, color: below },
      { value: limit, color: above },
    ],
  };
}

/**
 * A graph over time. `limit` draws a line where the alert is; `isStacked` adds the series up; `hasExemplars` shows
 * traced requests as points.
 * Queries are `['expression', 'legend']` pairs.
 */
export function graph(title, queries, options = {}) {
  const { unit = 'short', description, limit, isStacked = false, width = 12, max } = options;
  return {
    size: { w: width, h: 8 },
    panel: {
      type: 'timeseries',
      title,
      ...(description === undefined ? {} : { description }),
      datasource,
      targets: targetsOf(queries, options),
      fieldConfig: {
        defaults: {
          unit,
          min: 0,
          ...(max === undefined ? {} : { max }),
          thresholds: thresholdsOf(options),
          custom: {
            drawStyle: 'line',
            fillOpacity: isStacked ? 30 : 8,
            lineWidth: 1,
            showPoints: 'never',
            stacking: { mode: isStacked ? 'normal' : 'none', group: 'A' },
            thresholdsStyle: { mode: limit === undefined ? 'off' : 'dashed' },
          },
        },
        overrides: [],
      },
      options: {
        legend: {
          displayMode: 'table',
          placement: 'bottom',
          showLegend: true,
          calcs: ['lastNotNull', 'max'],
        },
        tooltip: { mode: 'multi', sort: 'desc' },
      },
    },
  };
}

/** One number, coloured by its limit. */
export function figure(title, expr, options = {}) {
  const { unit = 'short', description, width = 4, decimals } = options;
  return {
    size: { w: width, h: 4 },
    panel: {
      type: 'stat',
      title,
      ...(description === undefined ? {} : { description }),
      datasource,
      targets: targetsOf([[expr, '']]),
      fieldConfig: {
        defaults: {
          unit,
          ...(decimals === undefined ? {} : { decimals }),
          noValue: 'no data',
          thresholds: thresholdsOf(options),
        },
        overrides: [],
      },
      options: {
        colorMode: 'value',
        graphMode: 'area',
        justifyMode: 'auto',
        orientation: 'auto',
        percentChangeColorMode: 'standard',
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        showPercentChange: false,
        textMode: 'auto',
        wideLayout: true,
      },
    },
  };
}

/** A dashboard of `[heading, panels]` rows; panels flow from left to right and wrap. */
export function dashboard({ uid, title, description, rows }) {
  const panels = [];
  let y = 0;
  for (const [heading, members] of rows) {
    panels.push({
      type: 'row',
      title: heading,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: columns, h: 1 },
    });
    y += 1;
    let x = 0;
    let lineHeight = 0;
    for (const { size, panel } of members) {
      if (x + size.w > columns) {
        x = 0;
        y += lineHeight;
        lineHeight = 0;
      }
      panels.push({ ...panel, gridPos: { x, y, ...size } });
      x += size.w;
      lineHeight = Math.max(lineHeight, size.h);
    }
    y += lineHeight;
  }
  return {
    uid,
    title,
    description,
    tags: ['billing'],
    timezone: 'browser',
    editable: false,
    graphTooltip: 1,
    time: { from: 'now-1h', to: 'now' },
    refresh: '30s',
    schemaVersion: 39,
    templating: { list: [] },
    annotations: { list: [] },
    links: [
      {
        title: 'Billing',
        type: 'dashboards',
        icon: 'external link',
        tooltip: '',
        url: '',
        tags: ['billing'],
        asDropdown: true,
        targetBlank: false,
        includeVars: false,
        keepTime: true,
      },
    ],
    panels: panels.map((panel, index) => ({ id: index + 1, ...panel })),
  };
}

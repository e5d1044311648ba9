import type { Starters } from '../environment/starters.ts';
import { spreadOf } from '../measure/statistics.ts';
import { atMost } from '../report/goal.ts';
import type { Row } from '../report/row.ts';

const limitsMib = { api: 200, worker: 250 };

/** The most that API and worker had resident in any scenario; those that were not started are left out. */
export function memoryRows(peakMib: Starters['peakMib']): Row[] {
  const apps = [
    ['API', peakMib.api, limitsMib.api],
    ['worker', peakMib.worker, limitsMib.worker],
  ] as const;
  return apps
    .filter(([, reached]) => reached > 0)
    .map(([name, reached, limit]) => ({
      scenario: 'memory',
      name: `${name}, most resident`,
      unit: 'MiB',
      value: spreadOf([reached]),
      goals: [atMost({ path: 'memory', figure: `${name}, MiB resident`, reached }, limit)],
    }));
}

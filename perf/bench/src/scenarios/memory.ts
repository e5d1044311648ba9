import type { Starters } from '../environment/starters.ts';
import { spreadOf } from '../measure/statistics.ts';
import { atMost } from '../report/goal.ts';
import type { Row } from '../report/row.ts';

const limitsMib = { api: 200, worker: 250 };

/** What API and worker had resident in the scenario that needed most; those that were not started are left out. */
export function memoryRows({ api, worker }: Starters['memory']): Row[] {
  const apps = [
    { name: 'API', limit: limitsMib.api, ...api },
    { name: 'worker', limit: limitsMib.worker, ...worker },
  ];
  const scenario = 'memory, resident';
  return apps
    .filter(({ peakMib }) => peakMib > 0)
    .flatMap(({ name, limit, endMib, peakMib }) => [
      { scenario, name: `${name}, after its load`, unit: 'MiB', value: spreadOf([endMib]) },
      {
        scenario,
        name: `${name}, most`,
        unit: 'MiB',
        value: spreadOf([peakMib]),
        goals: [atMost({ path: 'memory', figure: `${name}, most MiB resident`, reached: peakMib }, limit)],
      },
    ]);
}

import { startLoop } from '@billing/platform';
import type { Loop } from '@billing/platform';
import { readEmitLag } from '@billing/store';
import { createBaseLineTurn, emitWaiting } from '@billing/sync';
import type { MaintenanceDeps } from '@billing/sync';
import { createEmitLagGauge } from './emit-lag-gauge.ts';

const lookMs = 50;
/** So many turns after the last that had something to do, not each one looks. */
const busyTurns = 40;
const idleTurns = 4;
const baseLineMs = 250;

/** Looks at each turn while there is something to tell, and some time after that; then at some of them. */
function createTurn(deps: MaintenanceDeps, onTold: () => void): () => Promise<'again' | 'rest'> {
  let idle = 0;
  return async () => {
    if (idle > busyTurns && idle % idleTurns !== 0) {
      idle += 1;
      return 'rest';
    }
    const told = await emitWaiting(deps);
    if (told !== 'idle') onTold();
    idle = told === 'idle' ? idle + 1 : 0;
    return told === 'again' ? 'again' : 'rest';
  };
}

/** The loops that make messages to products of what has changed. `onTold`: there may be some to send. */
export function startEmitter(deps: MaintenanceDeps, onTold: () => void): Loop[] {
  const { logger, metrics, database, clock } = deps;
  createEmitLagGauge(metrics, () => readEmitLag(database, clock()).catch(() => undefined));
  return [
    startLoop({ name: 'webhook_emitter', logger, intervalMs: lookMs }, createTurn(deps, onTold)),
    startLoop({ name: 'webhook_base_lines', logger, intervalMs: baseLineMs }, createBaseLineTurn(deps)),
  ];
}

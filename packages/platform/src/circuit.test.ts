import { waitFor } from '@billing/testing';
import { createCircuit } from './circuit.ts';

it('opens after failures in a row, lets one probe through at a time, and closes with a success', async () => {
  const circuit = createCircuit({ failuresToOpen: 3, probeEveryMs: 50, forgetAfterMs: 60_000 });
  circuit.failed();
  circuit.failed();
  circuit.succeeded();
  circuit.failed();
  circuit.failed();
  expect(circuit.admits()).toBe(true);
  circuit.failed();
  expect(circuit.admits()).toBe(false);
  await waitFor(() => circuit.admits(), { what: 'a probe', intervalMs: 5 });
  expect(circuit.admits()).toBe(false);
  circuit.failed();
  expect(circuit.admits()).toBe(false);
  await waitFor(() => circuit.admits(), { what: 'another probe', intervalMs: 5 });
  circuit.succeeded();
  expect([circuit.admits(), circuit.admits()]).toEqual([true, true]);
});

it('forgets old failures', async () => {
  const circuit = createCircuit({ failuresToOpen: 1, probeEveryMs: 60_000, forgetAfterMs: 40 });
  circuit.failed();
  expect(circuit.admits()).toBe(false);
  await waitFor(() => circuit.admits(), { what: 'the circuit to close', intervalMs: 5 });
  expect(circuit.admits()).toBe(true);
});

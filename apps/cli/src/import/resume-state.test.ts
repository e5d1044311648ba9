import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beginPhase, count, freshState, note, totalOf } from '@billing/sync';
import type { Subject } from '@billing/sync';
import { resumeState, writeState } from './resume-state.ts';

const folder = mkdtempSync(join(tmpdir(), 'billing-import-'));
afterAll(() => rmSync(folder, { recursive: true }));

const path = join(folder, 'state.json');
const subject: Subject = { project: 'shop', account: 'a', mapping: 'm', customers: 'c' };

function resume(of: Partial<Subject> = {}) {
  const said: string[] = [];
  const progress = { say: (line: string): void => void said.push(line) };
  const state = resumeState(path, { subject: { ...subject, ...of }, progress });
  return { state, said };
}

function keep() {
  const state = freshState(subject);
  beginPhase(state, 'customers');
  count(state.tallies.customers, 'customers_seen', 200);
  Object.assign(state, { cursor: 'cus_200', done: 200 });
  writeState(path, state);
  return state;
}

test('without a state file it starts fresh, and reports nothing', () => {
  rmSync(path, { force: true });
  expect(resume()).toEqual({ state: freshState(subject), said: [] });
});

test('the same import goes on with its place and counts', () => {
  const kept = keep();
  const { state, said } = resume();
  expect(state).toEqual(kept);
  expect(said).toEqual([
    'Going on where the last run stopped (customers, 200 done; counting on from there).',
  ]);
});

test.each<[changed: Partial<Subject>, why: string]>([
  [{ mapping: 'other' }, 'the mapping changed'],
  [{ customers: 'other' }, 'the customer list changed'],
  [{ account: 'other' }, 'the Stripe account changed'],
  [{ project: 'other', mapping: 'other' }, 'the project and the mapping changed'],
])('another import (%j) starts over and reports why', (changed, why) => {
  keep();
  expect(resume(changed)).toEqual({
    state: freshState({ ...subject, ...changed }),
    said: [`Beginning anew: since the last run stopped, ${why}.`],
  });
});

test('an unreadable state file is reported', () => {
  writeFileSync(path, '{"phase":"customers"');
  const { state, said } = resume();
  expect(state).toEqual(freshState(subject));
  expect(said).toEqual([`Beginning anew: the place that the last run kept in ${path} can't be read.`]);
});

test('a phase that begins again drops its own counts only', () => {
  const state = keep();
  note(state.tallies.customers, 'customers_of_another_user', 'cus_1');
  count(state.tallies.catalog, 'prices_created', 2);
  note(state.tallies.sessions, 'payments_without_user', 'cs_1');
  note(state.tallies.payments, 'payments_without_user', 'pi_1');
  beginPhase(state, 'customers');
  expect(totalOf(state)).toEqual({
    counts: { prices_created: 2 },
    findings: { payments_without_user: { count: 2, examples: ['cs_1', 'pi_1'] } },
  });
});

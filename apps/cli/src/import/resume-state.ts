import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { readJsonFile, writeJsonFile } from '@billing/platform';
import { freshState, importState } from '@billing/sync';
import type { ImportState, Progress, Subject } from '@billing/sync';

type SavedState = { kind: 'none' } | { kind: 'unreadable' } | { kind: 'saved'; state: ImportState };

export function readState(path: string): SavedState {
  const state = readJsonFile(path, importState);
  if (state !== undefined) return { kind: 'saved', state };
  return { kind: existsSync(path) ? 'unreadable' : 'none' };
}

export function writeState(path: string, state: ImportState): void {
  mkdirSync(dirname(path), { recursive: true });
  writeJsonFile(path, state);
}

export const removeState = (path: string): void => rmSync(path, { force: true });

const subjectNames: readonly (readonly [field: keyof Subject, name: string])[] = [
  ['project', 'the project'],
  ['account', 'the Stripe account'],
  ['mapping', 'the mapping'],
  ['customers', 'the customer list'],
];

/** The state that the last run kept at `path`, if it was of the same import; else a fresh one. Reports which. */
export function resumeState(
  path: string,
  { subject, progress }: { subject: Subject; progress: Pick<Progress, 'say'> },
): ImportState {
  const kept = readState(path);
  if (kept.kind === 'none') return freshState(subject);
  if (kept.kind === 'unreadable') {
    progress.say(`Beginning anew: the place that the last run kept in ${path} can't be read.`);
    return freshState(subject);
  }
  const { state } = kept;
  const changed = subjectNames
    .filter(([field]) => state.subject[field] !== subject[field])
    .map(([, name]) => name);
  if (changed.length > 0) {
    progress.say(`Beginning anew: since the last run stopped, ${changed.join(' and ')} changed.`);
    return freshState(subject);
  }
  const counted = state.done === 0 ? '' : `, ${state.done} done; counting on from there`;
  progress.say(`Going on where the last run stopped (${state.phase}${counted}).`);
  return state;
}

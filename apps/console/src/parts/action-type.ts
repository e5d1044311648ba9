import type { AdminRole } from '@billing/domain';
import type { ReactNode } from 'react';
import type { Call } from '../api/call.ts';
import type { Field, Values } from './values.ts';

/** A change, or a call that sends something, from the button to what came of it. */
export type Action = {
  /** What the button says. */
  label: string;
  title: string;
  /** What it does, in a sentence. */
  words: string;
  least: AdminRole;
  /** It concerns all projects: a name that is limited to one may not do it. */
  isOfAll?: boolean;
  fields?: readonly Field[];
  /** Made of what was filled in. Throws for what cannot be sent; its message is shown. */
  request: (values: Values) => Call;
  /** The call takes `dry_run`: what it would change is shown first. */
  isTried?: boolean;
  /** The audit log keeps a reason of it. */
  needsReason?: boolean;
  /** It cannot be taken back. */
  isDangerous?: boolean;
  /** What the last button says; default: the label. */
  confirm?: string;
  /** What is shown of the answer; default: that it is done. */
  done?: (answer: unknown) => ReactNode;
};

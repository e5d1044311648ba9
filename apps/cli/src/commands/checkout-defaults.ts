import { checkoutDefaultsPatch } from '@billing/domain';
import type { CheckoutDefaults, CheckoutDefaultsPatch } from '@billing/domain';
import { InvalidArgumentError } from 'commander';
import type { Cell } from './table.ts';

const example =
  'Write key=value (or key=default), such as locale=de, trial_days=14 or adjustable_quantity=1-10.';

/** What a text may stand for; which of these a default takes, its schema says: a promotion code may be all digits. */
function readings(text: string): unknown[] {
  const range = /^(\d+)-(\d+)$/.exec(text);
  return [
    ...(text === 'default' ? [null] : []),
    ...(text === 'true' || text === 'false' ? [text === 'true'] : []),
    ...(/^\d+$/.test(text) ? [Number(text)] : []),
    ...(range === null ? [] : [{ min: Number(range[1]), max: Number(range[2]) }]),
    text,
  ];
}

/** `locale=de`, `automatic_tax=true`, `adjustable_quantity=1-10`, `promotion_code=default`; each adds to those before. */
export function checkoutDefault(text: string, before: CheckoutDefaultsPatch = {}): CheckoutDefaultsPatch {
  const split = text.indexOf('=');
  const key = split < 0 ? text : text.slice(0, split);
  const tried = readings(split < 0 ? '' : text.slice(split + 1)).map((value) =>
    checkoutDefaultsPatch.safeParse({ [key]: value }),
  );
  const fitting = tried.find(({ success }) => success)?.data;
  if (fitting !== undefined) return { ...before, ...fitting };
  throw new InvalidArgumentError(`${tried[0]?.error?.issues[0]?.message ?? 'It is not valid'}. ${example}`);
}

const shown = (value: CheckoutDefaults[keyof CheckoutDefaults]): Cell =>
  typeof value === 'object' ? `${value.min} to ${value.max}` : value;

/** The fields of a project for people: what its checkouts do where a request does not say it. */
export const checkoutFields = (defaults: CheckoutDefaults): Record<string, Cell> =>
  Object.fromEntries(Object.entries(defaults).map(([key, value]) => [`checkout ${key}`, shown(value)]));

import { randomBytes } from 'node:crypto';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function randomText(length: number): string {
  let text = '';
  for (const byte of randomBytes(length)) text += alphabet[byte % alphabet.length];
  return text;
}

/** A new id in Stripe's form, e.g. `cus_Nf3kQ0…` for the prefix `cus`. */
export function newId(prefix: string): string {
  const length =
    prefix === 'cs_test' ? 58 : prefix === 'cus' || prefix === 'prod' || prefix === 'si' ? 14 : 24;
  return `${prefix}_${randomText(length)}`;
}

/** An exact number: money is divided and shared without rounding until it is shown. The denominator is positive. */
export type Fraction = { readonly numerator: bigint; readonly denominator: bigint };

const greatestDivisor = (a: bigint, b: bigint): bigint => (b === 0n ? a : greatestDivisor(b, a % b));

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

export function fraction(numerator: bigint, denominator = 1n): Fraction {
  const divisor = greatestDivisor(absolute(numerator), denominator);
  return divisor === 1n
    ? { numerator, denominator }
    : { numerator: numerator / divisor, denominator: denominator / divisor };
}

export const zero: Fraction = fraction(0n);

export const plus = (a: Fraction, b: Fraction): Fraction =>
  fraction(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);

export const minus = (a: Fraction, b: Fraction): Fraction =>
  plus(a, { numerator: -b.numerator, denominator: b.denominator });

export const times = (a: Fraction, b: Fraction): Fraction =>
  fraction(a.numerator * b.numerator, a.denominator * b.denominator);

export const isLess = (a: Fraction, b: Fraction): boolean =>
  a.numerator * b.denominator < b.numerator * a.denominator;

export const least = (a: Fraction, b: Fraction): Fraction => (isLess(b, a) ? b : a);

/** The number that a decimal such as `1000`, `0.5` or `33.333` writes. */
export function fromDecimal(decimal: string): Fraction {
  const [whole = '0', decimals = ''] = decimal.split('.');
  return fraction(BigInt(`${whole}${decimals}`), 10n ** BigInt(decimals.length));
}

/** To the nearest whole number; a half goes up. */
export function rounded({ numerator, denominator }: Fraction): bigint {
  const doubled = 2n * numerator + denominator;
  const quotient = doubled / (2n * denominator);
  // Division truncates towards zero: below it, one less is the floor.
  return doubled < 0n && doubled % (2n * denominator) !== 0n ? quotient - 1n : quotient;
}

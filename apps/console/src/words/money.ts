/** An amount of Stripe's smallest units as people write it. */
export function money(amount: number | null | undefined, currency: string | null | undefined): string {
  if (amount === null || amount === undefined || currency === null || currency === undefined) return '–';
  const format = new Intl.NumberFormat(undefined, { style: 'currency', currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(amount / 10 ** digits);
}

export const quantity = (amount: number | null | undefined): string =>
  amount === null ? 'unlimited' : amount === undefined ? '–' : amount.toLocaleString();

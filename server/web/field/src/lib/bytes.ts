// Amounts of data in the reader's form.

import type { Locale } from '../../../src/lib/format';

const UNITS = ['B', 'kB', 'MB', 'GB'];

/** `640 kB`, `1.4 MB`. */
export function bytes(n: number, locale: Locale): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, n)) / 3)));
  const value = n / 1_000 ** power;
  const digits = power > 1 && value < 10 ? 1 : 0;
  return `${value.toLocaleString(locale === 'zh' ? 'zh-CN' : 'en-GB', { maximumFractionDigits: digits })} ${UNITS[power]}`;
}

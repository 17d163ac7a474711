// Numbers in the reader's form.

import type { Locale } from './format';

const TAG: Record<Locale, string> = { en: 'en-GB', zh: 'zh-CN' };
const whole = { en: new Intl.NumberFormat(TAG.en), zh: new Intl.NumberFormat(TAG.zh) };
const formats = new Map<string, Intl.NumberFormat>();

/** A number of pieces: `12,345`. */
export function count(n: number, locale: Locale): string {
  return whole[locale].format(n);
}

/** A share, 0 to 1: `98.7%`. Whatever was missed never rounds to 100 %. */
export function share(part: number, locale: Locale, digits = 1): string {
  const scale = 10 ** (digits + 2);
  const held = part < 1 ? Math.min(part, (scale - 1) / scale) : part;
  const key = `${locale} ${digits}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(TAG[locale], { style: 'percent', maximumFractionDigits: digits });
    formats.set(key, format);
  }
  return format.format(held);
}

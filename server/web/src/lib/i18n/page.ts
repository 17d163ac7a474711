// A page's own texts stand beside it, loaded with it.

import type { Locale } from '../format';

/** The shape of a table of texts, whatever they say. */
export type Shape<T> = {
  [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...args: infer A) => string
      ? (...args: A) => string
      : Shape<T[K]>;
};

/** Both languages' texts of a page: what one lacks does not compile. */
export function pageWords<T>(en: T, zh: Shape<NoInfer<T>>): Record<Locale, Shape<T>> {
  return { en: en as Shape<T>, zh };
}

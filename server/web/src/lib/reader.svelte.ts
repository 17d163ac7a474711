// Who reads: the language, and the time that countdowns are drawn for. Every page of every program has it, so that a
// component that needs no more works on all of them.

import { ServerClock } from './clock';
import { dayOf, type Locale } from './format';
import { MESSAGES, pickLocale } from './i18n';

const LOCALE_KEY = 'linewatch.language';

class Reader {
  /** The clock of the program that serves the page. */
  readonly clock = new ServerClock();
  locale = $state<Locale>(pickLocale(recall(LOCALE_KEY), navigator.languages));
  /** The server's time, to the second; it drives every countdown. */
  nowMs = $state(0);

  readonly t = $derived(MESSAGES[this.locale]);
  /** The reader's today: what names a day follows this, not every second. */
  readonly todayMs = $derived(dayOf(this.nowMs));

  setLocale(locale: Locale): void {
    this.locale = locale;
    remember(LOCALE_KEY, locale);
  }

  /** The server's time now, or the page's best guess before it is known. */
  serverNow(): number {
    return this.clock.at(performance.now()) ?? Date.now();
  }

  setNow(): void {
    this.nowMs = Math.floor(this.serverNow() / 1000) * 1000;
  }
}

function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A browser that forgets is no reason to fail.
  }
}

export const reader = new Reader();

// Customers' names and contacts by code, for lists that know the code only. Read once, and again when a code is
// asked for that is not known.

import { app } from './app.svelte';
import type { Page } from './matter';

export interface CustomerItem {
  code: string;
  name: string;
  tier: string;
  pack: string;
  manager: string | null;
  deputy: string | null;
  contact_name: string | null;
  contact_phone: string | null;
}

const PAGE_ITEMS = 500;
const PAGES_MAX = 20;

class Customers {
  #known = $state.raw<ReadonlyMap<string, CustomerItem>>(new Map());
  #missing = new Set<string>();
  #reading = false;

  /** What is known of a customer; it is looked up where it is not. */
  of(code: string): CustomerItem | null {
    const found = this.#known.get(code);
    if (!found && code && !this.#missing.has(code)) {
      this.#missing.add(code);
      queueMicrotask(() => void this.#read());
    }
    return found ?? null;
  }

  name(code: string): string {
    return this.of(code)?.name ?? code;
  }

  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    const found: CustomerItem[] = [];
    try {
      let cursor: string | null = '';
      for (let page = 0; cursor !== null && page < PAGES_MAX; page += 1) {
        const at: string = cursor && `&cursor=${encodeURIComponent(cursor)}`;
        const answer: Page<CustomerItem> = await app.get(`/customers?limit=${PAGE_ITEMS}${at}`);
        found.push(...answer.items);
        cursor = answer.next_cursor;
      }
      this.#known = new Map(found.map((item) => [item.code, item]));
    } catch {
      // Codes are shown meanwhile.
      this.#missing.clear();
    }
    this.#reading = false;
  }
}

export const customers = new Customers();

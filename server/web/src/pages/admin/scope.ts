// What a user was given to see, as it is typed and as it is shown.

export interface Given {
  persons: string[];
  regions: string[];
  customers: string[];
}

/** What stands on the lines, each once; names have commas. */
export function lines(text: string): string[] {
  const all = text.split('\n').map((line) => line.trim());
  return [...new Set(all.filter(Boolean))];
}

/** As it is shown. */
export function joined(all: readonly string[], locale: string): string {
  return all.join(locale === 'zh' ? '、' : ', ');
}

/** Whether nothing was given. */
export function isNothing({ persons, regions, customers }: Given): boolean {
  return persons.length + regions.length + customers.length === 0;
}

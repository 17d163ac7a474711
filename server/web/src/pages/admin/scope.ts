// What a user was given to see, as it is typed and as it is shown.

export interface Given {
  persons: string[];
  regions: string[];
  customers: string[];
}

/** What stands between separators, each once. */
export function parts(text: string): string[] {
  const all = text.split(/[,，、;；\n]/).map((part) => part.trim());
  return [...new Set(all.filter(Boolean))];
}

/** As it is typed again. */
export function joined(all: readonly string[], locale: string): string {
  return all.join(locale === 'zh' ? '、' : ', ');
}

/** Whether nothing was given. */
export function isNothing({ persons, regions, customers }: Given): boolean {
  return persons.length + regions.length + customers.length === 0;
}

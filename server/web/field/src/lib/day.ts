// Days as the browser's field for a date has them. Pure.

const two = (n: number) => String(n).padStart(2, '0');

/** `2026-11-25`, in the reader's zone. */
export function toDayInput(ms: number): string {
  const day = new Date(ms);
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** The end of the day, in the reader's zone; null for an empty or broken field. */
export function endOfDay(value: string): string | null {
  const end = new Date(`${value}T23:59:59`);
  return value === '' || Number.isNaN(end.getTime()) ? null : end.toISOString();
}

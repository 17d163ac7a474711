// What the server asks of a password. Pure.

export const PASSWORD_CHARS_MIN = 12;
const PASSWORD_BYTES_MAX = 1024;

export type PasswordFlaw = 'short' | 'long' | 'differs' | 'same';

/** What is wrong with a new password; null where nothing is. */
export function flawOf(present: string, next: string, again: string): PasswordFlaw | null {
  if ([...next].length < PASSWORD_CHARS_MIN) return 'short';
  if (new TextEncoder().encode(next).length > PASSWORD_BYTES_MAX) return 'long';
  if (next !== again) return 'differs';
  return next === present ? 'same' : null;
}

// The part of the address after `#`: which fault is open. Alerts link to it, and it can be copied.

const FAULT = /^#\/faults\/([^/?#]+)$/;

/** The fault that an address names. */
export function faultInHash(hash: string): string | null {
  const named = FAULT.exec(hash)?.[1];
  if (!named) return null;
  try {
    return decodeURIComponent(named);
  } catch {
    return null;
  }
}

export function hashOf(fault: string | null): string {
  return fault === null ? '' : `#/faults/${encodeURIComponent(fault)}`;
}

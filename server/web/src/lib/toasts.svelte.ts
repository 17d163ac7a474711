// Words that appear at the edge of a page for a moment, and what a screen reader is told.

const TOAST_MS = 6_000;
export const TOASTS_KEPT = 4;

export interface Toast {
  id: number;
  kind: 'done' | 'failed' | 'alarm';
  text: string;
}

class Toasts {
  shown = $state.raw<Toast[]>([]);
  /** What a screen reader is told. */
  announcement = $state('');
  #serial = 0;

  say(kind: Toast['kind'], text: string): void {
    const id = ++this.#serial;
    this.shown = [...this.shown, { id, kind, text }].slice(-TOASTS_KEPT);
    setTimeout(() => (this.shown = this.shown.filter((toast) => toast.id !== id)), TOAST_MS);
  }
}

export const toasts = new Toasts();

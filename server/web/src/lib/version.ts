// Whether the server meanwhile serves a newer page than this one. What is built is named by its content.

const SCRIPT = /<script[^>]+type="module"[^>]+src="([^"]+)"/;

/** The program that a page begins with. */
export function programOf(html: string): string | null {
  return SCRIPT.exec(html)?.[1] ?? null;
}

/** Asks the server; no answer and an answer that is no page say nothing. */
export async function isOutdated(ask: typeof fetch = fetch): Promise<boolean> {
  const own = document.querySelector<HTMLScriptElement>('script[type=module][src]')?.getAttribute('src');
  try {
    const answer = await ask('/', { cache: 'no-store' });
    const served = answer.ok ? programOf(await answer.text()) : null;
    return !!own && !!served && served !== own;
  } catch {
    return false;
  }
}

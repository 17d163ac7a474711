// Waiting for conditions, with a bound; never for a length of time.

const POLL_MS = 50;

/** The first truthy answer of `probe`; an error that names `what` after `boundMs`. */
export async function until(probe, what, boundMs = 15_000) {
  const end = performance.now() + boundMs;
  let last;
  for (;;) {
    try {
      const answer = await probe();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`waited ${boundMs} ms in vain: ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

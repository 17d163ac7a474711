// Somebody who is signed in on a laptop's own page, by its API: what a report takes, without a browser.

import { PASSWORD } from './server.mjs';
import { until } from './wait.mjs';

const SYNC_BOUND_MS = 60_000;

/** Signs in on a laptop of [`startLaptop`]; `call` calls its API, `write` finishes a report. */
export async function penOf(laptop, user) {
  const origin = laptop.url;
  const answer = await fetch(`${origin}/api/session`, {
    method: 'POST',
    headers: { origin, 'content-type': 'application/json' },
    body: JSON.stringify({ user, password: PASSWORD }),
  });
  if (!answer.ok) throw new Error(`${user} cannot sign in: ${answer.status} ${await answer.text()}`);
  const cookie = answer.headers.get('set-cookie').split(';')[0];
  const { token } = await answer.json();

  async function call(method, path, body) {
    const isBytes = body instanceof Uint8Array;
    const media = isBytes ? 'image/jpeg' : 'application/json';
    const response = await fetch(`${origin}/api${path}`, {
      method,
      headers: { origin, cookie, 'x-linewatch-token': token, ...(body && { 'content-type': media }) },
      body: isBytes ? body : body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** Writes a report with these photos (bytes and caption each) and a signature; answers its id. */
  async function write(said, { photos = [], signature = null } = {}) {
    const { id, revision } = await call('POST', '/drafts', { customer: said.customer });
    const kept = [];
    for (const { bytes, ...about } of photos) {
      const { sha256 } = await call('POST', `/drafts/${id}/photos?role=photo`, bytes);
      kept.push({ sha256, ...about });
    }
    const signed = signature && (await call('POST', `/drafts/${id}/photos?role=signature`, signature));
    const draft = { ...said, photos: kept, signature: signed?.sha256 ?? null };
    await call('PUT', `/drafts/${id}`, { revision, draft });
    await call('POST', `/drafts/${id}/finish`);
    await call('POST', '/sync');
    return id;
  }
  return { call, write };
}

/** The report once the server has it, with all of its photos. */
export function arrived(server, id) {
  const whole = async () => {
    const report = await server.api('GET', `/visits/${id}`);
    return report.complete && report;
  };
  return until(whole, `report ${id} to be complete at the server`, SYNC_BOUND_MS);
}

// Open faults, and a steady stream of changes to them, over the API of a real server.

import { Agent, request } from 'node:http';

const CONNECTIONS = 16;
/** Changes begin in small groups, so often. */
const GROUP_EVERY_MS = 50;
/** With so many unanswered, further ones are left out and counted: the server is slower than asked for. */
const UNANSWERED_MAX = 400;

/** Customers and lines for `import`: a customer for every 50 lines, five tiers' worth of account managers. */
export function tables(lines) {
  const tiers = ['AAA', 'AA', 'A', 'standard'];
  const customers = Array.from({ length: Math.ceil(lines / 50) }, (_, n) =>
    [
      `C-${n}`,
      `样例客户 Sample ${n}`,
      tiers[n % 4],
      'group-line',
      `manager-${n % 25}`,
      'desk',
      `000-${n}`,
    ].join(),
  );
  const all = Array.from({ length: lines }, (_, n) =>
    [codeOf(n), `C-${Math.floor(n / 50)}`, `hall ${n}`, 'MPLS-VPN 100M', `NODE-${Math.floor(n / 40)}`].join(),
  );
  return {
    customers: ['code,name,tier,pack,manager,contact_name,contact_phone', ...customers, ''].join('\n'),
    lines: ['code,customer,site,service,upstream', ...all, ''].join('\n'),
  };
}

export const codeOf = (n) => `GX-${String(n).padStart(5, '0')}`;

/** Calls of the API on connections that are kept: `fetch` costs more than what is measured. */
export class Calls {
  #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  #server;

  constructor(server) {
    this.#server = server;
  }

  post(path, body) {
    const text = JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${this.#server.token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      'idempotency-key': crypto.randomUUID(),
    };
    return new Promise((resolve, reject) => {
      const call = request(`${this.#server.url}/api/v1${path}`, {
        method: 'POST',
        agent: this.#agent,
        headers,
      });
      call.on('error', reject);
      call.on('response', (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () => {
          const data = Buffer.concat(parts).toString();
          if (answer.statusCode < 300) resolve(JSON.parse(data));
          else reject(new Error(`POST ${path}: ${answer.statusCode} ${data}`));
        });
      });
      call.end(text);
    });
  }

  close() {
    this.#agent.destroy();
  }
}

/** Reports a fault of each line, over the last three hours; answers their ids. */
export async function openFaults(calls, count) {
  const ids = new Array(count);
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < count; n = next++) {
      const reported_at = new Date(Date.now() - ((n * 7919) % 180) * 60_000).toISOString();
      const text = { channel: 'hotline', reporter: 'duty desk', description: 'sample report' };
      ids[n] = (await calls.post('/faults', { line: codeOf(n), reported_at, ...text })).id;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return ids;
}

/** Changes one fault after the other, so many a second, until it is stopped; what was done and what was not. */
export function change(calls, faults, perSecond) {
  const sums = { begun: 0, done: 0, left: 0, failures: [], tookMs: [] };
  let unanswered = 0;
  const began = performance.now();
  const one = async () => {
    // Each fault is acknowledged, then its customer is told again and again: rows change and move.
    const [n, round] = [sums.begun % faults.length, Math.floor(sums.begun / faults.length)];
    sums.begun += 1;
    const sent = performance.now();
    const fact = round === 0 ? { kind: 'acknowledged' } : { kind: 'feedback', reached: true };
    unanswered += 1;
    try {
      await calls.post(`/faults/${faults[n]}/facts`, fact);
      sums.done += 1;
      sums.tookMs.push(performance.now() - sent);
      if (sums.tookMs.length > 20_000) sums.tookMs.splice(0, 10_000);
    } catch (error) {
      sums.failures = [...sums.failures, error.message].slice(-3);
    }
    unanswered -= 1;
  };
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - began) / 1000) * perSecond) - sums.begun - sums.left;
    for (let i = 0; i < due; i += 1) {
      if (unanswered >= UNANSWERED_MAX) sums.left += 1;
      else void one();
    }
  }, GROUP_EVERY_MS);
  return {
    sums,
    stop: () => clearInterval(timer),
    perSecond: () => sums.done / ((performance.now() - began) / 1000),
  };
}

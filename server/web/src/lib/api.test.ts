import { describe, expect, it } from 'vitest';
import { Api, ApiError, newKey } from './api';
import { ServerClock } from './clock';

interface Call {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
}

function client(...answers: (Response | Error)[]) {
  const calls: Call[] = [];
  let now = 1000;
  const clock = new ServerClock();
  const api = new Api(clock, {
    monotonic: () => (now += 10),
    fetch: (async (url: string, init: RequestInit) => {
      calls.push({
        url,
        method: init.method ?? 'GET',
        headers: init.headers as Record<string, string>,
        body: init.body as string | undefined,
      });
      const answer = answers.shift();
      if (!answer || answer instanceof Error) throw answer ?? new Error('no answer scripted');
      return answer;
    }) as typeof fetch,
  });
  return { api, calls, clock };
}

const json = (status: number, data: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(data), { status, headers });

describe('Api', () => {
  it('posts a step with a key, and no key twice', async () => {
    const { api, calls } = client(json(200, {}), json(200, {}));
    await api.addFact('f 1', { kind: 'acknowledged' });
    await api.addFact('f 1', { kind: 'acknowledged' });
    expect(calls[0]).toMatchObject({
      url: '/api/v1/faults/f%201/facts',
      method: 'POST',
      body: '{"kind":"acknowledged"}',
    });
    const keys = calls.map((c) => c.headers['idempotency-key']);
    expect(keys[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(keys[0]).not.toBe(keys[1]);
  });

  it('says the token of its session with each write, and asks for it again when it is another', async () => {
    const other = json(403, { code: 'page_token' });
    const { api, calls } = client(
      json(200, { user: 'a', token: 't1' }),
      json(200, {}),
      other,
      json(200, { user: 'a', token: 't2' }),
      json(200, {}),
    );
    await api.session();
    await api.addFact('f', { kind: 'acknowledged' });
    await api.addFact('f', { kind: 'dispatched' });
    const said = calls.map((call) => call.headers['x-linewatch-token']);
    expect(said).toEqual([undefined, 't1', 't1', undefined, 't2']);
    expect(calls[2]?.headers['idempotency-key']).toBe(calls[4]?.headers['idempotency-key']);
  });

  it('repeats an unanswered write under the same key, so that it counts once', async () => {
    const { api, calls } = client(new TypeError('network'), json(200, {}));
    await expect(api.addFact('f', { kind: 'dispatched' })).rejects.toMatchObject({
      status: 0,
      code: 'no_answer',
    });
    await api.addFact('f', { kind: 'dispatched' });
    expect(calls[0]?.headers['idempotency-key']).toBe(calls[1]?.headers['idempotency-key']);
  });

  it('hands on what the server says is possible', async () => {
    const problem = { code: 'step_impossible', detail: 'not restored yet', possible: ['restored', 'note'] };
    const { api } = client(json(409, problem));
    const error = await api.addFact('f', { kind: 'repaired' }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 409, code: 'step_impossible', possible: ['restored', 'note'] });
  });

  it('survives an answer that is not JSON', async () => {
    const { api } = client(new Response('<html>bad gateway</html>', { status: 502 }));
    await expect(api.board()).rejects.toMatchObject({ status: 502, code: 'http_502' });
  });

  it('sets the clock by the snapshot, and by the Date header before there is one', async () => {
    const date = 'Sun, 01 Mar 2026 08:00:00 GMT';
    const { api, clock } = client(json(401, {}, { date }), json(200, { as_of: '2026-03-01T08:00:10Z' }));
    await api.session().catch(() => null);
    expect(Math.abs(clock.at(1020)! - Date.parse(date))).toBeLessThanOrEqual(1000);
    await api.board();
    expect(Math.abs(clock.at(1060)! - Date.parse('2026-03-01T08:00:10Z'))).toBeLessThanOrEqual(50);
  });

  it('makes keys that differ', () => {
    expect(new Set(Array.from({ length: 100 }, newKey)).size).toBe(100);
  });
});

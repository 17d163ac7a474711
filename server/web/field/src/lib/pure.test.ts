import { describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../../src/lib/api';
import { Api, lacksIn, Refusal } from './api';
import { bytes } from './bytes';
import { endOfDay, toDayInput } from './day';
import { differing, EMPTY, isSame, lean, whole } from './draft-shape';
import { newId } from './id';
import { fitted, SIDE_MAX_PX } from './photo';
import { placeText } from './place';
import { hrefOf, parseRoute } from './route';
import type { Deadline } from './types';
import { whenBody, wrongWhen } from './when';
import { ordered, owed, pressing } from './work';

const NOW = Date.parse('2026-03-01T08:00:00Z');
const MIN = 60_000;
const iso = (ms: number) => new Date(ms).toISOString();

describe('ids', () => {
  it('are UUIDs of version 7 that begin with the time', () => {
    const id = newId(NOW);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(parseInt(id.slice(0, 13).replace('-', ''), 16)).toBe(NOW);
    expect(newId(NOW)).not.toBe(id);
    expect(newId(NOW + 1) > id).toBe(true);
  });
});

describe('addresses', () => {
  it('lead where they say', () => {
    const address = hrefOf('new-visit', null, { customer: '样例/1', line: null, round: 'r' });
    const { screen, of, query } = parseRoute(address);
    expect([screen, of, query.get('customer'), query.get('line')]).toEqual([
      'new-visit',
      null,
      '样例/1',
      null,
    ]);
    expect(parseRoute(hrefOf('lines', 'GX/1 ?'))).toMatchObject({ screen: 'lines', of: 'GX/1 ?' });
    for (const hash of ['', '#/', '#/nowhere/x', '#/today'])
      expect(parseRoute(hash)).toMatchObject({ screen: 'today', of: null });
    expect(parseRoute('#/lines/%E0%A4%A')).toMatchObject({ screen: 'lines', of: null });
  });
});

describe('a draft', () => {
  it('is the same with and without what is empty', () => {
    expect(isSame(EMPTY, {})).toBe(true);
    expect(lean(whole({ customer: 'C001', satisfied: false }))).toEqual({
      customer: 'C001',
      satisfied: false,
    });
    expect(whole({ site: undefined, line: null }).site).toBe('');
    expect(
      isSame(
        { form: { pack: 'p', version: '1', name: 'n' } },
        { form: { name: 'n', version: '1', pack: 'p' } },
      ),
    ).toBe(true);
  });

  it('differs by fields', () => {
    const mine = whole({ purpose: 'a', answers: { x: 1 } });
    expect(differing(mine, { purpose: 'a', answers: { x: 2 }, met: 'b' })).toEqual(['met', 'answers']);
  });

  it('is a copy: what is changed in it changes nothing else', () => {
    whole({}).photos.push({ sha256: 'x', caption: '' });
    expect(EMPTY.photos).toEqual([]);
  });
});

describe('what is owed', () => {
  const due = (kind: string, inMin: number, more: Partial<Deadline> = {}): Deadline => ({
    kind,
    due_at: iso(NOW + inMin * MIN),
    state: 'running',
    remaining_ms: inMin * MIN,
    started_at: iso(NOW - 60 * MIN),
    warn_at: [],
    open: true,
    ...more,
  });

  it('is ordered by what falls due first; what stands still comes behind, what owes nothing last', () => {
    const items = [
      { name: 'none', deadlines: [due('visit', -5, { state: 'met', open: false })] },
      { name: 'paused', deadlines: [due('visit', 1, { state: 'paused' })] },
      { name: 'later', deadlines: [due('visit', 90), due('feedback', 30)] },
      { name: 'missed', deadlines: [due('visit', -90, { state: 'missed' })] },
      { name: 'soon', deadlines: [due('visit', 10)] },
    ];
    expect(ordered(items).map(({ name }) => name)).toEqual(['missed', 'soon', 'later', 'paused', 'none']);
  });

  it('shows what presses most, as on the board', () => {
    const all = [due('restoration', 12), due('feedback', 30)];
    expect(pressing(all, NOW)).toMatchObject({ kind: 'restoration', standing: { urgency: 'slipping' } });
    expect(pressing(all, NOW + 13 * MIN)?.standing.urgency).toBe('missed');
    expect(pressing([due('visit', -5, { state: 'missed', open: false })], NOW)).toBeNull();
    expect(owed(all).map(({ kind }) => kind)).toEqual(['restoration', 'feedback']);
  });
});

describe('when something happened', () => {
  it('is now, unless it is said; what is late says why', () => {
    expect(whenBody({ at: null, reason: 'x' }, NOW)).toEqual({});
    const late = iso(NOW - 6 * MIN);
    expect(wrongWhen({ at: late, reason: ' ' }, NOW)).toBe('reason_missing');
    expect(wrongWhen({ at: iso(NOW - 4 * MIN), reason: '' }, NOW)).toBeNull();
    expect(whenBody({ at: late, reason: ' no pen ' }, NOW)).toEqual({ occurred_at: late, reason: 'no pen' });
    expect(wrongWhen({ at: iso(NOW + 6 * MIN), reason: '' }, NOW)).toBe('in_the_future');
  });
});

describe('days, places, sizes', () => {
  it('are as the reader has them', () => {
    const end = endOfDay('2026-03-05')!;
    expect(toDayInput(Date.parse(end))).toBe('2026-03-05');
    expect([endOfDay(''), endOfDay('nonsense')]).toEqual([null, null]);
    expect(placeText({ latitude: -33.5, longitude: 121.47 })).toBe('33.50000° S, 121.47000° E');
    expect([bytes(0, 'en'), bytes(640_000, 'en'), bytes(1_440_000, 'en')]).toEqual([
      '0 B',
      '640 kB',
      '1.4 MB',
    ]);
    expect(fitted(4_000, 3_000)).toEqual({ width: SIDE_MAX_PX, height: 1_200 });
    expect(fitted(800, 600)).toEqual({ width: 800, height: 600 });
  });
});

describe('the client', () => {
  const answers = (list: (Response | Error)[]) => {
    const calls: { url: string; init: RequestInit }[] = [];
    const transport = {
      fetch: vi.fn(async (url: string, init: RequestInit) => {
        calls.push({ url, init });
        const next = list.shift()!;
        if (next instanceof Error) throw next;
        return next;
      }) as unknown as typeof fetch,
      nowMs: () => NOW,
      onsignedout: vi.fn(),
      onlocked: vi.fn(),
      renew: vi.fn(async () => {
        api.token = 't2';
      }),
    };
    const api = new Api(transport);
    return { api, calls, transport };
  };
  const json = (status: number, body: object) => new Response(JSON.stringify(body), { status });
  const idOf = ({ init }: { init: RequestInit }) => (JSON.parse(String(init.body)) as { id: string }).id;

  it('gives a write that got no answer the same id again, and another write another', async () => {
    const { api, calls } = answers([
      new Error('cut'),
      json(500, {}),
      json(200, { id: 'x' }),
      json(201, { id: 'y' }),
    ]);
    const write = () => api.write('/faults', { line: 'L' });
    await expect(write()).rejects.toMatchObject({ status: 0 });
    await expect(write()).rejects.toMatchObject({ status: 500 });
    await write();
    await write();
    const [first, second, third, fourth] = calls.map(idOf);
    expect([second, third]).toEqual([first, first]);
    expect(fourth).not.toBe(first);
  });

  it('shows its token with what changes something, and says when it is signed out', async () => {
    const { api, calls, transport } = answers([
      json(200, { user: { name: 'u', role: 'technician' }, token: 't1' }),
      json(401, { code: 'signed_out' }),
    ]);
    await api.signIn('u', 'p');
    await expect(api.write('/faults', {})).rejects.toBeInstanceOf(ApiError);
    expect(calls[1]!.init.headers).toMatchObject({ 'x-linewatch-token': 't1' });
    expect(transport.onsignedout).toHaveBeenCalledOnce();
  });

  it('takes the token of whoever signed in anew in another window, once', async () => {
    const other = () => json(403, { code: 'other_site' });
    const { api, calls, transport } = answers([other(), json(201, { id: 'x' }), other(), other()]);
    api.token = 't1';
    await api.write('/faults', { line: 'L' });
    expect(calls.map(({ init }) => (init.headers as Record<string, string>)['x-linewatch-token'])).toEqual([
      't1',
      't2',
    ]);
    await expect(api.write('/faults', { line: 'L' })).rejects.toMatchObject({ code: 'other_site' });
    expect(transport.renew).toHaveBeenCalledTimes(2);
    expect(calls).toHaveLength(3);
  });

  it('hands on the newer version of a draft, and what a report lacks', async () => {
    const theirs = { revision: 4, changed_at: iso(NOW), lacks: [], id: 'd', draft: { met: 'x' }, photos: [] };
    const { api } = answers([json(409, { code: 'other_revision', newer: theirs })]);
    expect(await api.putDraft('d', 3, EMPTY, false)).toMatchObject({
      kind: 'other',
      theirs: { revision: 4 },
    });
    const lacks = [{ field: 'met', why: 'missing' }];
    expect(lacksIn(new Refusal(422, 'report_lacks', '', { lacks }))).toEqual(lacks);
    expect(lacksIn(new ApiError(0, 'no_answer', ''))).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { ApiError } from '../../lib/api';
import type { Matter, MatterFact } from '../../lib/matter';
import { intakeBody } from './intake';
import { matches, narrowed, ordered, ownersOf, rowOf } from './list';
import { refusal } from './refusal';
import { rangeText } from '../../lib/reading';
import { madeBody, roundOf, unanswered } from './round';
import { says } from './says';
import { bodyOf, fieldsOf, missing, offered, nextOf } from './steps';

const T = Date.parse('2026-03-01T08:00:00Z');
const MIN = 60_000;
const iso = (minutes: number) => new Date(T + minutes * MIN).toISOString();

function matter(id: string, dueIn: number | null, more: Partial<Matter> = {}): Matter {
  const due = { kind: 'resolution', period: 'first', started_at: iso(-60), state: 'running', met_at: null };
  return {
    id,
    kind: 'complaint',
    class: 'minor',
    customer: 'C1',
    title: `title ${id}`,
    line: null,
    site: null,
    state: 'open',
    owner: 'east',
    opened_at: iso(-60),
    deadlines: dueIn === null ? [] : [{ ...due, due_at: iso(dueIn), remaining_ms: dueIn * MIN, history: [] }],
    ...more,
  } as Matter;
}

describe('the list', () => {
  const rows = [matter('a', 90), matter('b', -5), matter('c', null, { owner: 'west' })].map((m) =>
    rowOf(m, T),
  );

  it('has what slips first on top', () => {
    expect(ordered(rows).map(({ matter }) => matter.id)).toEqual(['b', 'a', 'c']);
    expect(ownersOf(rows)).toEqual(['east', 'west']);
    expect(rowOf(matter('d', 5, { state: 'closed' }), T).due).toBeNull();
  });

  it('is narrowed', () => {
    const any = { kind: '', class: '', owner: '', words: '', overdue: false };
    const found = (by: object) => rows.filter((row) => matches(row, { ...any, ...by }, 'Sample Bank'));
    expect(found({})).toHaveLength(3);
    expect(found({ overdue: true }).map(({ matter }) => matter.id)).toEqual(['b']);
    expect(found({ owner: 'west' })).toHaveLength(1);
    expect(found({ words: 'bank' })).toHaveLength(3);
    expect(found({ words: 'title a' })).toHaveLength(1);
    expect(found({ kind: 'request' })).toHaveLength(0);
    const query = new URLSearchParams('kind=complaint&class=minor');
    expect(narrowed(query, 'kind', '')).toBe('#/matters');
    expect(narrowed(query, 'state', 'closed')).toBe('#/matters?kind=complaint&class=minor&state=closed');
  });
});

describe('a step', () => {
  it('is offered when it fits, and to whom it is reserved', () => {
    const possible = ['note', 'closed_unconfirmed', 'told', 'repeated'];
    expect(offered(possible, false)).toEqual(['told', 'note']);
    expect(offered(possible, true)).toEqual(['told', 'closed_unconfirmed', 'note']);
  });

  it('asks for its own fields, and posts them', () => {
    expect(fieldsOf('postponed', {}, false).map((f) => f.name)).toEqual(['until', 'reason']);
    const fields = fieldsOf('postponed', {}, true);
    expect(missing(fields, { until: 'x' })?.name).toBe('reason');
    expect(bodyOf('postponed', fields, { until: 'x', reason: ' y ', special: 'yes' })).toEqual({
      kind: 'postponed',
      until: 'x',
      reason: 'y',
      special: true,
    });
    const asked = { reached: 'yes', result: 'satisfied' };
    expect(bodyOf('callback', fieldsOf('callback', asked, false), asked)).toEqual({
      kind: 'callback',
      reached: true,
      result: 'satisfied',
    });
    expect(fieldsOf('callback', { reached: 'no' }, false)).toHaveLength(1);
    expect(bodyOf('raised', fieldsOf('raised', {}, false), { level: '2', reason: 'x' }).level).toBe(2);
  });
});

describe('a refusal', () => {
  const refused = (detail: string, possible = ['told', 'note']) =>
    new ApiError(409, 'step_impossible', `${detail}; possible now: told, note`, possible);

  it('says why, in the reader’s words', () => {
    const again = refused(
      'it was put off 1 times already; once more only as a special case recorded by a supervisor',
    );
    expect(refusal(again, T, 'en')).toMatch(/put off once already.*supervisor/);
    expect(refusal(again, T, 'zh')).toMatch(/已延期 1 次/);
    expect(
      refusal(refused(`its time has passed at ${iso(0)}; a promise is put off before that`), T, 'zh'),
    ).toMatch(/到期前/);
    expect(refusal(refused('something new'), T, 'en')).toBe(
      'something new Possible now: Word to the customer or Note.',
    );
    expect(refusal(new ApiError(403, 'supervisor_only', 'x'), T, 'zh')).toBe('仅限主管操作。');
    expect(refusal(new ApiError(422, 'invalid_field', 'names it'), T, 'en')).toBe('names it');
  });
});

describe('a fact', () => {
  const names = {
    class: (name: string) => name.toUpperCase(),
    cause: (name: string) => name,
    level: (level: number) => `level ${level}`,
    point: (name: string) => name,
  };
  const fact = (kind: string, detail: unknown) => ({ kind, detail }) as MatterFact;
  const text = (kind: string, detail: unknown) =>
    says(fact(kind, detail), names, T, 'en').map(({ label, text }) =>
      [label, text].filter(Boolean).join(' '),
    );

  it('says what it holds', () => {
    expect(text('answered', { step: 'answered' })).toEqual([]);
    expect(text('told', { step: { told: { reached: false } } })).toEqual(['Not reached']);
    expect(text('callback', { step: { callback: 'satisfied' } })).toEqual(['Satisfied']);
    expect(
      text('reclassed', { step: { reclassed: { class: 'major', reason: 'x', supervisor: null } } }),
    ).toEqual(['Class MAJOR', 'Reason x']);
    expect(text('opened', { opened: { title: 't', description: 'all of it', unit: null } })).toEqual([
      'In full all of it',
    ]);
    const points = [
      { name: 'a', ok: true },
      { name: 'b', ok: false, note: 'hot' },
    ];
    expect(text('made', { step: { made: { mode: 'on_site', met: '', points } } })).toEqual([
      'How On site',
      '1 of 2 points not well: b (hot)',
    ]);
    const [said] = says(fact('repeated', { step: { repeated: { complaint: 'id' } } }), names, T, 'en');
    expect(said?.matter).toBe('id');
  });
});

describe('an intake', () => {
  it('posts what was filled in', () => {
    const values = {
      kind: 'complaint',
      class: 'minor',
      line: '',
      title: ' no invoice ',
      description: '',
      reporter: 'desk',
      owner: '',
      unit: '',
      wantedBy: '',
      openedAt: 'offered',
      about: 'first',
    };
    const body = intakeBody('C1', values, 'offered');
    expect(JSON.parse(JSON.stringify(body))).toEqual({
      kind: 'complaint',
      class: 'minor',
      customer: 'C1',
      title: 'no invoice',
      reporter: 'desk',
      about: 'first',
    });
    expect(intakeBody('C1', { ...values, kind: 'request' }, '').about).toBeUndefined();
  });
});

describe('a report of a round', () => {
  const label = { zh: '点', en: 'point' };
  const pack = {
    cadences: [{ matter: 'patrol', name: 'weekly', label, modes: [], checklist: 'room' }],
    checklists: [
      {
        name: 'room',
        label,
        items: [
          ['a', label],
          ['b', label],
        ],
      },
    ],
  } as never;

  it('answers each point, and names what was promised', () => {
    const round = roundOf(pack, 'patrol', 'weekly');
    expect(round.points).toHaveLength(2);
    expect(roundOf(undefined, 'visit', 'x').modes).toContain('face_to_face');
    const a = { ok: 'yes', note: '', class: 'major' } as const;
    expect(unanswered(round, { a })?.[0]).toBe('b');
    const measured = {
      ...round,
      points: round.points.slice(0, 1),
      readings: { a: { unit: 'dBm', at_least: -24, at_most: -8 } },
    };
    expect(rangeText(measured.readings.a)).toBe('-24 … -8 dBm');
    for (const reading of [undefined, '', '-1e3', '18,5 dBm']) {
      expect(unanswered(measured, { a: { ...a, reading } })?.[0]).toBe('a');
    }
    const typed = { a: { ...a, reading: '−18,5' } };
    expect(unanswered(measured, typed)).toBeNull();
    const body = madeBody({ mode: 'on_site', met: '', report: '' }, measured.points, typed, []);
    expect(body).toMatchObject({ points: [{ name: 'a', reading: -18.5 }] });
    const b = { ok: 'no', note: ' hot ', class: 'major' } as const;
    const promised = [
      { title: '', until: '' },
      { title: ' plan ', until: '2026-03-05T08:00' },
    ];
    expect(madeBody({ mode: 'on_site', met: '', report: '' }, round.points, { a, b }, promised)).toEqual({
      mode: 'on_site',
      name: '',
      points: [
        { name: 'a', ok: true, note: '' },
        { name: 'b', ok: false, note: 'hot', class: 'major' },
      ],
      promises: [{ title: 'plan', until: new Date('2026-03-05T08:00').toISOString() }],
    });
  });
});

describe('the step that is offered first', () => {
  it('leads on, and is no plan for what is planned', () => {
    expect(nextOf(['planned', 'made', 'note'], { planned_at: null })).toBe('planned');
    expect(nextOf(['planned', 'made', 'note'], { planned_at: '2026-11-22T02:00:00Z' })).toBe('made');
    expect(nextOf(['exempted', 'note'], { planned_at: null })).toBe(null);
  });
});

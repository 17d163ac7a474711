import { describe, expect, it } from 'vitest';
import { MESSAGES } from './i18n';
import { announced, markText } from './marks';

const SOURCES: Record<string, string> = import.meta.glob('../../../../shared/src/sla/deadline.rs', {
  query: '?raw',
  import: 'default',
  eager: true,
});

describe('kinds of promises', () => {
  it('all have words in both languages', () => {
    const [source = ''] = Object.values(SOURCES);
    const kinds = [...source.matchAll(/Self::\w+ => "([a-z]+)"/g)].map(([, name]) => name!);
    const names = kinds.slice(0, kinds.indexOf('availability') + 1);
    expect(names).toContain('interruption');
    for (const { kind } of Object.values(MESSAGES))
      expect(Object.keys(kind)).toEqual(expect.arrayContaining(names));
  });
});

describe('markText', () => {
  it('knows any share that a pack warns at', () => {
    expect(markText('repair', 'warn_50', 'en')).toBe('half of the time is used');
    expect(markText('repair', 'warn_66.6', 'en')).toBe('66.6 % of the time is used');
    expect(markText('repair', 'warn_90', 'zh')).toBe('时限已用 90%');
  });

  it('says of an allowance that it is used up', () => {
    expect(markText('interruption', 'warn_80', 'en')).toBe('80 % is used');
    expect(markText('availability', 'missed', 'zh')).toBe('已用尽');
    expect(markText('restoration', 'missed', 'zh')).toBe('已超时');
  });
});

describe('announced', () => {
  const at = '2026-03-02T06:00:00Z';
  const todayMs = Date.parse(at) - 3_600_000;

  it('names the line, or the customer', () => {
    const event = { line: 'L1', kind: 'feedback', mark: 'missed', at };
    expect(announced(event, 'en', todayMs)).toBe('L1: Feedback, missed');
    expect(announced({ customer: 'bank', kind: 'visit', mark: 'missed', at }, 'zh', todayMs)).toBe(
      'bank: 走访, 已超时',
    );
  });

  it('says when an allowance is used up at the earliest', () => {
    const event = { line: 'L1', kind: 'interruption', mark: 'warn_80', at, due_at: at };
    expect(announced(event, 'en', todayMs)).toMatch(
      /^L1: Year's interruption, 80 % is used, used up .*:00 at the earliest$/,
    );
  });
});

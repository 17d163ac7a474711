import { describe, expect, it } from 'vitest';
import { changes, nameOf, sections, valueOf } from './paper-tables';
import { paperWords } from './paper-words';
import type { Papers } from './papers';

/** The server's own source: which figures the papers have, and why customers are at risk. */
const SOURCES: Record<string, string> = import.meta.glob('../../../../src/app/{papers/make,risks}.rs', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const source = (name: string) => Object.entries(SOURCES).find(([path]) => path.endsWith(name))?.[1] ?? '';

const none = { items: [], more: 0 };
const papers = (more: Partial<Papers>): Papers => ({
  month: '2026-02',
  complete: true,
  as_of: '2026-03-02T00:00:00Z',
  copy: null,
  copies: [],
  changed_since: [],
  figures: [],
  customers_by_missed: none,
  customers_by_interruption: none,
  lines_by_missed: none,
  lines_by_interruption: none,
  lines_to_watch: none,
  missed: none,
  missed_count: 0,
  exemptions: none,
  complaints: { classes: [], customers: 0, per_100_customers_centi: null },
  grave: none,
  samples: none,
  contractors: none,
  risks: none,
  late: none,
  decisions: none,
  ...more,
});

describe('the papers', () => {
  it('have a name in both languages for each of their figures', () => {
    const names = [...source('make.rs').matchAll(/^ {4}"([a-z_0-9]+)",$/gm)].map((found) => found[1]!);
    expect(names).toContain('restoration_rate');
    for (const locale of ['en', 'zh'] as const)
      for (const name of names) expect(nameOf(name, locale)).not.toBe(name.replaceAll('_', ' '));
    const reasons = [...source('risks.rs').matchAll(/^ +\("([a-z_]+)", \|rules\|/gm)].map(
      (found) => found[1]!,
    );
    expect(reasons.length).toBeGreaterThan(3);
    expect(Object.keys(paperWords.zh.reason)).toEqual(expect.arrayContaining(reasons));
  });

  it('write a value as what its name says it is', () => {
    expect(valueOf('restoration_rate', 985, 'en')).toBe('98.5%');
    expect(valueOf('availability_ppm', 999_950, 'en')).toBe('99.995%');
    expect(valueOf('interruption_ms', 5_400_000, 'zh')).toBe('1小时30分');
    expect(valueOf('sample_points_mean', 9_250, 'en')).toBe('92.5');
    expect([valueOf('faults', 7, 'en'), valueOf('faults', null, 'en')]).toEqual(['7', '–']);
  });

  it('lead to what they speak of, and have a cell for each heading', () => {
    const missed = {
      kind: 'interruption',
      subject: 'f1',
      of: 'fault',
      customer: 'bank',
      line: 'L1',
      due_at: null,
      met_at: null,
      count: 2,
      causes: [{ zh: '停电', en: 'power off' }],
      done: '',
    };
    const list = sections(papers({ missed: { items: [missed], more: 3 } }), 0, 'zh');
    const section = list.find(({ name }) => name === 'missed')!;
    const [row] = section.rows;
    expect(row!.map(({ text }) => text)).toEqual([
      '年中断时长',
      '故障',
      'bank',
      'L1',
      '–',
      '–',
      '2',
      '停电',
      '–',
    ]);
    expect([row![1]!.href, row![3]!.href, section.more]).toEqual(['#/fault/f1', '#/lines/L1', 3]);
    expect(row!.length).toBe(section.head.length);
    expect(list.length + 1).toBe(Object.keys(paperWords.en.section).length);
  });

  it('say what changed since', () => {
    const since = changes(papers({ changed_since: [{ name: 'restoration_missed', then: 1, now: 0 }] }), 'en');
    expect(since.rows[0]!.map(({ text }) => text)).toEqual([nameOf('restoration_missed', 'en'), '1', '0']);
  });
});

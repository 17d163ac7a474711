import { describe, expect, it } from 'vitest';
import { ApiError } from '../../lib/api';
import { glance, paired, refusal, said, sections, sought, withVariable } from './texts';
import type { AlertText } from './types';

const text = (id: string, lang: string, more: Partial<AlertText> = {}): AlertText => ({
  id,
  lang,
  section: `part of ${id.split('-')[0]}`,
  shipped: `shipped ${id}`,
  own: null,
  variables: [],
  left_out: [],
  paragraph: false,
  by: null,
  at: null,
  problem: null,
  ...more,
});

describe('texts of alerts', () => {
  const pairs = paired([
    text('repair-missed.what', 'zh', { shipped: '修复已超时' }),
    text('repair-missed.what', 'en', { own: 'Not mended' }),
    text('repair-missed.lead', 'zh'),
    text('subject', 'en', { problem: 'does not fit', own: 'x' }),
  ]);

  it('stand side by side, under their headings', () => {
    expect(pairs.map((pair) => [pair.id, !!pair.zh, !!pair.en])).toEqual([
      ['repair-missed.what', true, true],
      ['repair-missed.lead', true, false],
      ['subject', false, true],
    ]);
    expect(sections(pairs, 'zh').map((part) => part.pairs.length)).toEqual([2, 1]);
  });

  it('are found by what either language says', () => {
    const found = (words: string, own = false) => sought(pairs, words, own).map((pair) => pair.id);
    expect(found('修复')).toEqual(['repair-missed.what']);
    expect(found('NOT repair')).toEqual(['repair-missed.what']);
    expect(found('nowhere')).toEqual([]);
    expect(found('', true)).toEqual(['repair-missed.what', 'subject']);
  });

  it('say what is used', () => {
    expect(pairs.map((pair) => said(pair.en))).toEqual(['Not mended', '', 'shipped subject']);
  });

  it('are shown at a glance by their usual variant', () => {
    const text = '{ $late ->\n    [yes] learnt late: missed\n   *[no] missed, due { $due }\n}';
    expect(glance(text)).toBe('missed, due { $due }');
    const plural =
      '{ $count } alerts about { $faults ->\n    [one] 1 fault\n   *[other] { $faults } faults\n}';
    expect(glance(plural)).toBe('{ $count } alerts about { $faults } faults');
    expect(glance('due { $due }\n{ $site }')).toBe('due { $due }\n{ $site }');
  });

  it('take a variable where the cursor stands', () => {
    expect(withVariable('due !', [4, 5], 'due')).toEqual({ text: 'due { $due }', cursor: 12 });
  });

  it('are refused in the words of the reader', () => {
    const reasons = { unknown_variable: (_: string, possible: string) => `try ${possible}` };
    const error = (reason: string | null) =>
      new ApiError(422, 'invalid_field', 'said', ['due'], 'text', reason);
    expect(refusal(error('unknown_variable'), reasons)).toBe('try $due');
    expect(refusal(error('newer'), reasons)).toBe('said');
    expect(refusal(error(null), reasons)).toBeNull();
  });
});

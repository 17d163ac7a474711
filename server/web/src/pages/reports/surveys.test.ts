import { describe, expect, it } from 'vitest';
import { linkText, questionsOf } from './surveys';

describe('a survey', () => {
  it('asks what was typed, in the other language the same where there is none', () => {
    const typed = [
      { zh: ' 一 ', en: 'one' },
      { zh: '', en: ' ' },
      { zh: '', en: 'two' },
    ];
    expect(questionsOf(typed)).toEqual([
      { zh: '一', en: 'one' },
      { zh: 'two', en: 'two' },
    ]);
  });

  it('gives links to paste, those alone who have not answered', () => {
    const links = [
      { customer: 'C1', link: 'http://x/1' },
      { customer: 'C2', link: null },
    ];
    expect(linkText(links)).toBe('C1\thttp://x/1');
  });
});

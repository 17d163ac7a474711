import { describe, expect, it } from 'vitest';
import { MESSAGES, pickLocale, word } from './index';

/** Every text of a table, by its path; functions are called with a placeholder. */
function texts(table: object, path = ''): [string, string][] {
  return Object.entries(table).flatMap(([key, value]): [string, string][] => {
    if (typeof value === 'string') return [[path + key, value]];
    if (typeof value === 'function') return [[path + key, String(value('7', '8'))]];
    return texts(value as object, `${path}${key}.`);
  });
}

describe('texts', () => {
  it('exist in both languages, none empty', () => {
    const [en, zh] = [texts(MESSAGES.en), texts(MESSAGES.zh)];
    expect(zh.map(([path]) => path).sort()).toEqual(en.map(([path]) => path).sort());
    expect([...en, ...zh].filter(([, text]) => !text.trim())).toEqual([]);
  });

  it('are really Chinese in Chinese', () => {
    const latin = texts(MESSAGES.zh).filter(([, text]) => !/\p{Script=Han}/u.test(text));
    expect(latin).toEqual([]);
  });

  it('are chosen by memory, then by the browser', () => {
    expect(pickLocale('zh', ['en-GB'])).toBe('zh');
    expect(pickLocale(null, ['fr', 'zh-Hans-CN', 'en'])).toBe('zh');
    expect(pickLocale('xx', [])).toBe('en');
  });

  it('leave an unknown value readable', () => {
    expect([word({ a: 'A' }, 'a'), word({}, 'fan_stuck'), word({}, 'constructor')]).toEqual([
      'A',
      'fan stuck',
      'constructor',
    ]);
  });
});

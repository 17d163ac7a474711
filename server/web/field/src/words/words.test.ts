import { describe, expect, it } from 'vitest';
import { refusalWords } from './refusals';
import { reportWords, visitWords } from './report';
import { savedWords } from './saved';
import { shellWords } from './shell';
import { stepWords, whenWords, workWords } from './work';

const ALL = {
  refusalWords,
  reportWords,
  visitWords,
  savedWords,
  shellWords,
  stepWords,
  whenWords,
  workWords,
};

function texts(table: object, path = ''): [string, string][] {
  return Object.entries(table).flatMap(([key, value]): [string, string][] => {
    if (typeof value === 'string') return [[path + key, value]];
    if (typeof value === 'function') return [[path + key, String(value('7', '8', '9'))]];
    return texts(value as object, `${path}${key}.`);
  });
}

describe.each(Object.entries(ALL))('%s', (_, { en, zh }) => {
  it('are in both languages, and Chinese in Chinese', () => {
    expect(texts(zh).map(([path]) => path)).toEqual(texts(en).map(([path]) => path));
    expect(texts(en).filter(([, text]) => !text.trim() || /\p{Script=Han}/u.test(text))).toEqual([]);
    expect(texts(zh).filter(([, text]) => !/\p{Script=Han}/u.test(text))).toEqual([]);
  });
});

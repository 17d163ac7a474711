import { describe, expect, it } from 'vitest';
import { ApiError } from './api';
import { errorWords } from './error-words';
import { FIELDS_ZH } from './error-zh';
import { explain } from './errors';

/** The server's own source: what it can refuse with is read from there. */
const SOURCES: Record<string, string> = import.meta.glob('../../../src/http/**/*.rs', {
  query: '?raw',
  import: 'default',
  eager: true,
});
/** Answered to agents alone, never to a page. */
const OF_AGENTS = /\/(sync|agents_sync|agents_keys)\.rs$/;

function found(pattern: RegExp): string[] {
  const texts = Object.entries(SOURCES)
    .filter(([path]) => !/tests?\.rs$|testing\.rs$/.test(path) && !OF_AGENTS.test(path))
    .map(([, text]) => text.split('#[cfg(test)]\nmod tests')[0]!);
  const all = texts.flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1]!));
  return [...new Set(all)].sort();
}

const refused = (
  status: number,
  code: string,
  detail: string,
  possible: string[] | null = null,
  field = '',
) => new ApiError(status, code, detail, possible, field || null);

describe('words', () => {
  const codes = found(
    /(?:ApiError|Self)::(?:new\(\s*[\w:]+,|not_found\(|conflict\(|forbidden\()\s*"([a-z_]+)"/g,
  );

  it('are there in both languages for every code of the server', () => {
    expect(codes.length).toBeGreaterThan(45);
    expect(codes).toContain('unknown_line');
    for (const { code } of Object.values(errorWords))
      expect(Object.keys(code)).toEqual(expect.arrayContaining(codes));
    const latin = Object.values(errorWords.zh.code).filter((text) => !/\p{Script=Han}/u.test(text));
    expect(latin).toEqual([]);
  });

  it('name every field that the server refuses by name', () => {
    const fields = found(/(?:ApiError::field|[^_]text|short|[^_]time|given)\(\s*"([a-z_.]+)"/g);
    expect(fields).toContain('measures.by');
    expect(fields.filter((name) => !Object.hasOwn(FIELDS_ZH, name))).toEqual([]);
  });
});

describe('explain', () => {
  it('says what is possible instead of an impossible step', () => {
    const error = refused(409, 'step_impossible', 'raw detail', ['dispatched', 'restored', 'note']);
    expect(explain(error, 'en')).toBe(
      'This step does not fit the fault as it stands. Possible now: Dispatch, Restored, or Note.',
    );
    expect(explain(error, 'zh')).toBe('故障当前状态下不能执行此步骤。 现在可以：派单、抢通或备注。');
  });

  it('says why where nothing is possible: in Chinese with the words of the server below', () => {
    const error = refused(409, 'step_impossible', 'the plan for 2026 is approved already', []);
    expect(explain(error, 'en')).toBe('the plan for 2026 is approved already');
    expect(explain(error, 'zh')).toBe('当前状态下不能这样做。\nthe plan for 2026 is approved already');
    const own = refused(409, 'step_impossible', 'noc has written the plan: somebody else approves it');
    expect(explain(own, 'en')).toContain('somebody else');
  });

  it('names a field and the common reasons in Chinese', () => {
    const wrong = (detail: string, field: string) =>
      explain(refused(422, 'invalid_field', detail, null, field), 'zh');
    expect(wrong('is missing', 'until')).toBe('“截止时间”未填写。');
    expect(wrong('has more than 4000 characters', 'text')).toBe('“内容”超过 4000 个字符。');
    expect(wrong('2026-03-01T00:00:00Z is more than 5 minutes in the future', 'occurred_at')).toBe(
      '“发生时间”不能晚于现在。',
    );
    expect(wrong('"x" is not one of: up, down', 'service')).toBe('“业务”只能是：up, down。');
    expect(wrong('is empty: the condition changes only with a reason', 'reason')).toBe(
      '“原因”不符合要求。\nis empty: the condition changes only with a reason',
    );
    expect(wrong('is odd', 'new_one')).toBe('“new_one”不符合要求。\nis odd');
  });

  it('keeps the words of another refusal, and has words of its own for the rest', () => {
    expect(explain(refused(422, 'in_future', 'reported_at is in the future'), 'en')).toBe(
      'reported_at is in the future',
    );
    expect(explain(refused(422, 'invalid_field', 'is missing', null, 'wanted_by'), 'en')).toBe(
      'wanted by is missing',
    );
    expect(explain(refused(500, 'http_500', ''), 'en')).toBe('The server refused (500).');
    expect(explain(refused(0, 'no_answer', ''), 'en')).toContain('does not answer');
    expect(explain(refused(403, 'forbidden', 'x'), 'zh')).toBe('您的角色无权执行此操作。');
    expect(explain(refused(429, 'too_many_attempts', 'x'), 'zh')).toContain('密码错误次数过多');
    expect(explain(refused(404, 'unknown_line', 'there is no line L9'), 'zh')).toBe('没有这条专线。');
    expect(explain(refused(404, 'unknown_line', 'there is no line L9'), 'en')).toBe('there is no line L9');
    expect(explain(refused(401, 'unauthenticated', 'x'), 'en')).toContain('Sign in again');
  });
});

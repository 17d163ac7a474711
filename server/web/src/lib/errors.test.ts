import { describe, expect, it } from 'vitest';
import { ApiError } from './api';
import { explain } from './errors';

describe('explain', () => {
  it('says what is possible instead of an impossible step', () => {
    const error = new ApiError(409, 'step_impossible', 'raw detail', ['dispatched', 'restored', 'note']);
    expect(explain(error, 'en')).toBe(
      'This step does not fit the fault as it stands. Possible now: Dispatch, Restored, or Note.',
    );
    expect(explain(error, 'zh')).toBe('故障当前状态下不能执行此步骤。 现在可以：派单、抢通或备注。');
    expect(explain(new ApiError(409, 'step_impossible', '', []), 'en')).toContain('No step is possible now.');
  });

  it('keeps the words of another refusal, and has words of its own for the rest', () => {
    expect(explain(new ApiError(422, 'in_future', 'reported_at is in the future'), 'en')).toBe(
      'reported_at is in the future',
    );
    expect(explain(new ApiError(500, 'http_500', ''), 'en')).toBe('The server refused (500).');
    expect(explain(new ApiError(0, 'no_answer', ''), 'en')).toContain('does not answer');
    expect(explain(new ApiError(403, 'forbidden', 'x'), 'zh')).toBe('您的角色无权执行此操作。');
  });
});

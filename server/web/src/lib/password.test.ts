import { describe, expect, it } from 'vitest';
import { flawOf } from './password';

describe('flawOf', () => {
  it('counts characters, not bytes, for the least and bytes for the most', () => {
    const eleven = '密码密码密码密码密码密';
    expect(flawOf('old', eleven, eleven)).toBe('short');
    expect(flawOf('old', `${eleven}码`, `${eleven}码`)).toBeNull();
    expect(flawOf('old', '密'.repeat(342), '密'.repeat(342))).toBe('long');
  });

  it('wants the same twice, and another one than before', () => {
    expect(flawOf('old', 'sample-password', 'sample-passw0rd')).toBe('differs');
    expect(flawOf('sample-password', 'sample-password', 'sample-password')).toBe('same');
  });
});

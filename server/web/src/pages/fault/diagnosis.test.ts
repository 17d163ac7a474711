import { describe, expect, it } from 'vitest';
import { findingText, milliseconds, worst, type Finding } from './diagnosis';
import { diagnosisWords } from './diagnosis-words';

/** The agent's own words: every finding that it has words for is to have words here. */
const AGENT = Object.values(
  import.meta.glob<string>('../../../../../agent/src/diagnosis/words.rs', {
    query: '?raw',
    import: 'default',
    eager: true,
  }),
)[0]!;

const finding = (check: string, code: string, figures: Finding['figures'] = []): Finding => ({
  check,
  grade: 'ok',
  code,
  figures,
});

describe('findings', () => {
  it('say what was measured, in both languages', () => {
    const lossy = finding('far_end', 'losses', [
      ['answered', '7/10'],
      ['rtt_us', '12340'],
    ]);
    expect(findingText(lossy, 'en')).toBe('the far end answered 7/10 probes only, 12.3 ms');
    expect(findingText(lossy, 'zh')).toBe('对端仅应答 7/10，12.3 毫秒');
    const cut = finding('link', 'no_carrier', [['interface', 'eth0']]);
    expect(findingText(cut, 'en')).toBe('no signal at eth0: check the cable and the port at both ends');
    expect(findingText(finding('mtu', 'smaller', [['bytes', '1400']]), 'zh')).toContain('1400');
  });

  it('tell a silent gateway, a silent far end and a silent way apart', () => {
    const texts = ['gateway', 'far_end', 'path'].map((check) => findingText(finding(check, 'silent'), 'en'));
    expect(texts).toEqual([
      'the gateway does not answer: it may be down, or set up not to',
      'the far end does not answer (?)',
      'nothing on the way answered (Path)',
    ]);
  });

  it('of a later device are said not to be known, never wrongly', () => {
    const { unseen } = diagnosisWords.en;
    expect(findingText(finding('fan', 'stuck'), 'en')).toBe(unseen);
    expect(findingText(finding('mtu', 'constructor'), 'en')).toBe(unseen);
    expect(findingText(finding('constructor', 'name'), 'en')).toBe(unseen);
  });

  it('have words wherever the device has', () => {
    const named = [...AGENT.matchAll(/\("(\w+)", "(\w+)"(?: \| "(\w+)")*(?: \| "(\w+)")?\) =>/g)];
    expect(named.length).toBeGreaterThan(10);
    for (const [, check, ...codes] of named) {
      for (const code of codes.filter((code) => code !== undefined)) {
        const texts = (['en', 'zh'] as const).map((locale) => findingText(finding(check!, code), locale));
        expect(texts, `${check} ${code}`).not.toContain(diagnosisWords.en.unseen);
        expect(texts[1], `${check} ${code}`).toMatch(/\p{Script=Han}/u);
      }
    }
  });

  it('have a worst', () => {
    const graded = (...grades: Finding['grade'][]) =>
      grades.map((grade) => ({ ...finding('x', 'y'), grade }));
    expect(worst(graded('ok', 'unknown', 'warn'))).toBe('warn');
    expect(worst(graded('ok', 'fail', 'warn'))).toBe('fail');
    expect(worst(graded('unknown', 'ok'))).toBe('ok');
    expect(worst([])).toBe('unknown');
  });

  it('leave what is no number as it is', () => {
    expect([milliseconds('900'), milliseconds('?'), milliseconds('')]).toEqual(['0.9', '?', '']);
  });
});

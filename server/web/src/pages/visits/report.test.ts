import { describe, expect, it } from 'vitest';
import type { Pack } from '../../lib/types';
import { answerRows, missingOf, photosOf, placeText, pointRows, signatureOf, size } from './report';
import type { ReportForm, ReportPart, VisitDetail, VisitSaid } from './types';

const label = (zh: string, en: string) => ({ zh, en });
const FORM: ReportForm = {
  pack: 'field-work',
  version: '2026.1',
  name: 'sample',
  label: label('样例', 'Sample'),
  fields: [
    {
      name: 'power',
      label: label('收光', 'Received power'),
      range: { unit: 'dBm', at_least: -24, at_most: -8 },
    },
    { name: 'length', label: label('长度', 'Length'), range: { unit: 'm', at_least: null, at_most: null } },
    { name: 'quality', label: label('质量', 'Quality'), choices: [['good', label('好', 'Good')]] },
    { name: 'cleared', label: label('已清理', 'Cleared') },
  ],
};

function detail(visit: Partial<VisitSaid>, more: Partial<VisitDetail> = {}): VisitDetail {
  return { form: FORM, parts: [], visit: { answers: [], points: [], ...visit }, ...more } as VisitDetail;
}
const part = (role: ReportPart['role'], sha256: string) => ({ role, sha256 }) as ReportPart;

describe('what was answered', () => {
  it('has the labels, units and ranges of the form, and says what is amiss', () => {
    const answers: VisitSaid['answers'] = [
      { field: 'power', value: -27.5, amiss: true },
      { field: 'length', value: 0, amiss: false },
      { field: 'quality', value: 'good', amiss: false },
      { field: 'cleared', value: false, amiss: true },
    ];
    const rows = answerRows(detail({ answers }), 'en');
    expect(rows.map(({ label, text, range, amiss }) => [label, text, range, amiss])).toEqual([
      ['Received power', '-27.5 dBm', '-24 … -8 dBm', 'out of range'],
      ['Length', '0 m', '', ''],
      ['Quality', 'Good', '', ''],
      ['Cleared', 'no', '', 'to be looked at'],
    ]);
    expect(answerRows(detail({ answers }), 'zh').map(({ text }) => text)).toEqual([
      '-27.5 dBm',
      '0 m',
      '好',
      '否',
    ]);
  });

  it('stands by its name where the server knows the form no more', () => {
    const form = { pack: 'old', version: '1', name: 'gone' };
    const answers = [{ field: 'spare_fibre', value: 'sample text', amiss: false }];
    const [row] = answerRows(detail({ answers }, { form }), 'en');
    expect(row).toMatchObject({ label: 'spare fibre', text: 'sample text', amiss: '' });
  });
});

describe('points', () => {
  const packs = [
    { name: 'other', version: '1' },
    {
      name: 'sample',
      version: '1',
      checklists: [
        {
          name: 'room',
          label: label('机房', 'Room'),
          items: [
            ['temperature', label('温度', 'Temperature')],
            ['door', label('门', 'Door')],
          ],
          readings: { temperature: { unit: '°C', at_least: 10, at_most: 30 } },
        },
      ],
    },
  ] as Pack[];

  it('are read with what was measured; a reading out of its range is marked even where the point is called well', () => {
    const points = [
      { name: 'temperature', ok: true, reading: 31 },
      { name: 'door', ok: false, note: 'sample: no lock' },
      { name: 'roof', ok: true },
    ];
    const rows = pointRows(detail({ points }), packs, 'en');
    expect(rows.map(({ label, text, range, amiss }) => [label, text, range, amiss])).toEqual([
      ['Temperature', 'well · 31 °C', '10 … 30 °C', 'out of range'],
      ['Door', 'not well · sample: no lock', '', 'to be looked at'],
      ['roof', 'well', '', ''],
    ]);
  });

  it('of a limit itself are within it', () => {
    const points = [{ name: 'temperature', ok: true, reading: 30 }];
    expect(pointRows(detail({ points }), packs, 'en')[0]!.amiss).toBe('');
  });
});

describe('parts', () => {
  it('are photos and one signature', () => {
    const report = detail({}, { parts: [part('photo', 'a'), part('signature', 'b'), part('photo', 'c')] });
    expect(photosOf(report).map(({ sha256 }) => sha256)).toEqual(['a', 'c']);
    expect(signatureOf(report)?.sha256).toBe('b');
    expect(signatureOf(detail({}))).toBeNull();
    expect(missingOf({ parts: { total: 3, whole: 1 } })).toBe(2);
  });

  it('say where they were taken, and how large they are', () => {
    expect(placeText({ latitude: 31.230416, longitude: 121.4737 })).toBe('31.23042° N, 121.47370° E');
    expect(placeText({ latitude: -33.5, longitude: -70.25 })).toBe('33.50000° S, 70.25000° W');
    expect([size(812), size(98_304), size(2_516_582)]).toEqual(['812 B', '96 kB', '2.4 MB']);
  });
});

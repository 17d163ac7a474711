import { pageWords } from '../../lib/i18n/page';

export const permitWords = pageWords(
  {
    to: 'Granted to',
    work: 'For which work',
    from: 'From',
    until: 'Until',
    ticket: 'Work ticket',
    briefing: 'The safety briefing was given',
    certificate: (name: string) => `Certificate: ${name}`,
    number: 'Number',
    validUntil: 'Valid until',
    known: { electrician: 'electrician' } as Record<string, string>,
    taken: (what: string) => `This permit: ${what}`,
  },
  {
    to: '许可对象',
    work: '作业内容',
    from: '开始时间',
    until: '结束时间',
    ticket: '工作票号',
    briefing: '已进行安全交底',
    certificate: (name) => `证书：${name}`,
    number: '证书编号',
    validUntil: '有效期至',
    known: { electrician: '电工证' },
    taken: (what) => `许可类别：${what}`,
  },
);

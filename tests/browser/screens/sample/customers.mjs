// What the sample desk decides about customers, and what it asks and hears of them.

import { ago, at, lengthOf, month, planYear } from './time.mjs';

export async function tellCustomers({ api, server, say }) {
  const head = await server.as('head');
  const manager = await server.as('manager-east');
  await api('POST', '/customers/C005/risks', {
    reason: say('在比较另一家运营商的报价', 'compares the offer of another carrier'),
  });
  for (const [code, name, tier] of [
    ['C011', say('样例书店', 'Sample Books'), 'A'],
    ['C012', say('样例剧院', 'Sample Theatre'), 'standard'],
  ])
    await manager('POST', '/customers', {
      code,
      name,
      tier,
      manager: 'manager-east',
      region: say('东区', 'east'),
    });
  await head('POST', '/customers/C012/admission', {
    admitted: false,
    reason: say('地址无资源覆盖', 'no fibre at the address'),
  });
  const scores = { revenue: 37, growth: 12, payment: 19, duration: 9, prospects: 12 };
  await api('POST', '/grade-proposals', { customer: 'K001', scores });
  const low = { revenue: 20, growth: 8, payment: 10, duration: 6, prospects: 5 };
  await api('POST', '/grade-proposals', { customer: 'K002', scores: low, caps: ['bad_record'] });
  await head('PUT', '/customers/C009/service-end', { ends_at: ago(1) });
  await head('POST', '/customers/C009/erasure', {
    reason: say('客户书面要求', 'the customer asked in writing'),
  });
  await check(head, say);
  await plan({ manager, head, say });
  return { survey: await survey({ api, server, say }) };
}

/** The year's plan of a key customer, by its manager, approved by another. */
async function plan({ manager, head, say }) {
  const year = planYear();
  const path = `/customers/K001/plans/${year}`;
  const by = `${year}-12-30T18:00:00+08:00`;
  await manager('PUT', path, {
    goals: say('交易时段零中断，全年走访四次', 'no interruption while trading, four visits'),
    measures: [
      { what: say('双路由改造评估', 'assess a second route'), by },
      { what: say('年终服务回顾', 'review of the year'), by, owner: 'head' },
    ],
    review_at: by,
  });
  await head('POST', `${path}/approval`, {});
}

/** What a checker found of last month's sample; the rest waits. */
async function check(head, say) {
  const { items } = await head('GET', `/quality/${month(-1)}`);
  const found = [
    [92, say('记录完整', 'complete')],
    [88, ''],
    [65, say('反馈内容过于简单', 'the customer was told too little')],
  ];
  for (const [n, [points, remarks]] of found.entries())
    await head('POST', `/quality/${month(-1)}`, { subject: items[n].subject, points, remarks });
}

async function survey({ api, server, say }) {
  const questions = [
    { zh: '故障处理是否及时？', en: 'Are faults dealt with in time?' },
    { zh: '是否主动告知进展？', en: 'Are you told unasked how it stands?' },
    { zh: '走访是否有帮助？', en: 'Do our visits help?' },
  ];
  const title = say('年度服务满意度调查', 'Satisfaction of the year');
  const { id } = await api('POST', '/surveys', { title, questions, closes_at: at(20, '18:00') });
  const asked = ['C001', 'C002', 'C003', 'C004', 'C006', 'C007'];
  const links = await api('POST', `/surveys/${id}/invites`, { customers: asked });
  const answers = [
    [5, 5, 4],
    [4, 3, 4],
    [2, 2, 3, say('断线时没有人主动来电', 'nobody rang us when the line was cut')],
    [5, 4, 5],
  ];
  for (const [n, [q1, q2, q3, comment = '']] of answers.entries()) {
    const body = new URLSearchParams({ q1, q2, q3, comment });
    const answer = await fetch(links[n].link.replace(/^.*(?=\/survey\/)/, server.url), {
      method: 'POST',
      body,
    });
    if (!answer.ok) throw new Error(`survey: ${answer.status}`);
  }
  return id;
}

/** Half a year of the hotline's days, as its telephone system exports them. */
export function hotlineCsv() {
  const rows = ['day,offered,answered,soon'];
  for (let back = 6; back >= 1; back -= 1) {
    const name = month(-back);
    for (let n = 1; n <= lengthOf(name); n += 1) {
      const offered = 120 + ((n * 37 + back * 11) % 60);
      const answered = offered - ((n + back) % 9);
      rows.push(
        [`${name}-${String(n).padStart(2, '0')}`, offered, answered, answered - 6 - back * 2].join(','),
      );
    }
  }
  return `${rows.join('\n')}\n`;
}

/** The contractor's lines; importing them again changes what differs. */
export const maintained = `code,customer,contractor\nPD-0101,P001,M1\nPD-0102,P001,M1\n`;

/** So that customers can be graded who are known since today. */
export function gradedAtOnce(pack) {
  const changed = pack
    .replace(/^version = ".*"$/m, 'version = "sample"')
    .replace(/^history_at_least = "\w+"/m, 'history_at_least = "1s"');
  if (changed === pack) throw new Error('the pack key-account has changed');
  return changed;
}

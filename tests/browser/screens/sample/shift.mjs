// The sample desk itself: its people, rota, handovers, absences, planned work, agreements.

import { ago, at, day, lengthOf, month } from './time.mjs';

/** Beside the desk's own user. */
export const PEOPLE = [
  ['relief', 'noc'],
  ['head', 'admin'],
  ['manager-east', 'manager'],
  ['technician-1', 'technician'],
];

export async function tellShift({ api, server, say }) {
  const [relief, head] = [await server.as('relief'), await server.as('head')];
  await writeRota(api, head, month(), say);

  const words = say(
    '关注 GX-0101 熔接进度；GX-0302 换班后进场。',
    'Watch the splicing of GX-0101; GX-0302 can be entered after the shift.',
  );
  const first = await api('POST', '/handovers', { words });
  await relief('POST', `/handovers/${first.id}/sign`, {});
  await head('POST', `/handovers/${first.id}/review`, {});
  await relief('POST', '/handovers', {
    words: say(
      'OLT-05 三条线路同因，统一反馈一次即可。',
      'Three lines of OLT-05 have one cause: tell them together.',
    ),
  });

  const leave = say('年休假', 'annual leave');
  await api('POST', '/absences', { person: 'manager-east', until: at(3, '08:00'), reason: leave });
  await api('POST', '/absences', { person: 'manager-north', from: at(4, '08:00'), until: at(6, '08:00') });

  const work = (reason, more) => api('POST', '/planned-work', { reason, ...more });
  const early = { applied_at: ago(4 * 1440), announced_at: ago(3 * 1440) };
  await work(say('更换板卡', 'A board is replaced'), {
    lines: ['GX-0703'],
    from: ago(40),
    to: ago(-80),
    ...early,
  });
  const night = { from: at(2, '01:00'), to: at(2, '04:00') };
  await work(say('OLT-05 软件升级', 'New software for OLT-05'), { upstream: 'OLT-05', ...night, ...early });
  const cut = { from: at(3, '00:30'), to: at(3, '02:00'), applied_at: ago(600) };
  await work(say('光缆割接', 'The fibre is moved'), { lines: ['GX-0101', 'GX-0102'], ...cut });

  await people(head, say);
}

async function writeRota(api, head, name, say) {
  const people = [say('值班甲', 'duty-a'), say('值班乙', 'duty-b'), say('值班丙', 'duty-c')];
  const shifts = [];
  for (let n = 0; n < lengthOf(name); n += 1) {
    const [one, next] = [dayOf(name, n + 1), dayOf(name, n + 2)];
    const of = (k, from, until) => ({
      person: people[(2 * n + k) % 3],
      email: `duty-${(2 * n + k) % 3}@example.invalid`,
      from: `${from}+08:00`,
      until: `${until}+08:00`,
    });
    shifts.push(of(0, `${one}T08:00:00`, `${one}T20:00:00`), of(1, `${one}T20:00:00`, `${next}T08:00:00`));
  }
  await api('PUT', `/rota/${name}`, { shifts });
  await head('POST', `/rota/${name}/approve`, {});
}

const dayOf = (name, n) =>
  new Date(Date.UTC(Number(name.slice(0, 4)), Number(name.slice(5)) - 1, n)).toISOString().slice(0, 10);

async function people(head, say) {
  await head('POST', '/users', { name: 'former', role: 'technician', password: 'sample-password-2' });
  await head('POST', '/users/former/disable');
  const paper = (n) => say(`保密协议 2026-0${n}`, `file 2026-0${n}`);
  const sign = (person, n, days) =>
    head('POST', '/agreements', {
      person,
      document: paper(n),
      signed_at: ago(200 * 1440),
      until: at(days, '18:00'),
    });
  await sign('noc', 1, 400);
  await sign('relief', 2, 400);
  await sign('manager-east', 3, 12);
  await head('POST', '/agents/sample-laptop/enrolment');
  await head('POST', '/contractors', {
    ...{ code: 'M1', name: say('样例代维公司', 'Sample Upkeep'), pack: 'power-distribution', fee_part: '8%' },
    ...{ contract_from: `${day(0).slice(0, 4)}-01-01`, contract_until: `${day(0).slice(0, 4)}-12-31` },
    ...{ contact_name: say('值班台', 'duty desk'), contact_phone: '010-5550-0401' },
  });
  await head('POST', '/contractors', {
    ...{ code: 'M2', name: say('样例线缆公司', 'Sample Cables'), pack: 'power-distribution' },
    ...{ contract_from: '2024-01-01', contract_until: day(-40) },
  });
}

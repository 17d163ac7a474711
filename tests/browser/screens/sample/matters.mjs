// Complaints, requests, defects, visits and patrols of the sample desk.

import { until } from '../../lib/wait.mjs';
import { ago, at, day, daysToLastMonth, weekday } from './time.mjs';

const HOUR = 60;

/** Returns the ids of those of which a picture is made. */
export async function tellMatters(desk) {
  const complaint = await complaints(desk);
  const round = await visits(desk);
  return { complaint, round, ...(await patrols(desk)) };
}

async function complaints({ api, say }) {
  const open = async (kind, name, customer, title, minutes, more = {}) => {
    const reporter = say('值班台', 'duty desk');
    const body = { kind, class: name, customer, title, reporter, opened_at: ago(minutes), ...more };
    return (await api('POST', '/matters', body)).id;
  };
  const step = (id, kind, minutes, fields = {}) =>
    api('POST', `/matters/${id}/facts`, { kind, occurred_at: ago(minutes), ...fields });

  const slow = await open('complaint', 'minor', 'C003', say('午间网速很慢', 'Very slow at noon'), 11 * HOUR, {
    line: 'GX-0303',
    description: say(
      '每天 11:30 到 13:00 打开页面要等十几秒。',
      'From 11:30 to 13:00 each page takes ten seconds.',
    ),
    unit: say('传输班', 'Transmission team'),
  });
  await step(slow, 'answered', 11 * HOUR - 9);
  await step(slow, 'routed', 11 * HOUR - 24, { unit: say('传输班', 'Transmission team') });
  await step(slow, 'told', 8 * HOUR, { reached: false });
  await step(slow, 'told', 7 * HOUR, { reached: true });
  await step(slow, 'note', 4 * HOUR, {
    text: say('端口在午间拥塞，已申请扩容', 'The port is congested at noon; more bandwidth is applied for'),
  });
  await step(slow, 'postponed', 2 * HOUR, {
    until: at(3, '17:00'),
    reason: say('等待扩容审批', 'the upgrade waits for its approval'),
  });

  const bill = await open(
    'complaint',
    'important',
    'C001',
    say('账单金额不符', 'The invoice is wrong'),
    22 * HOUR,
  );
  await step(bill, 'answered', 21 * HOUR);
  const again = say('断线后无人回电', 'Nobody rang back after the cut');
  const silent = await open('complaint', 'major', 'C006', again, 3 * 24 * HOUR);
  await step(silent, 'answered', 3 * 24 * HOUR - 90);
  await open('request', 'ordinary', 'C002', say('申请增加一个固定地址', 'One more fixed address'), 6);
  const move = await open('request', 'ordinary', 'C007', say('设备移机', 'Moving the equipment'), 40 * HOUR);
  await step(move, 'answered', 40 * HOUR - 11);
  await step(move, 'resolved', 90, { text: say('已移至三楼', 'moved to the third floor') });
  const due = { wanted_by: at(1, '17:00') };
  await open(
    'promise',
    'promise',
    'C004',
    say('提交中断分析报告', 'Report about the outage'),
    26 * HOUR,
    due,
  );
  await api('POST', '/leaks', {
    what: say('一份线路清单误发给他人', 'a list of lines was sent to a stranger'),
    customers: ['C004'],
    learnt_at: ago(5 * HOUR),
    owner: 'manager-north',
  });
  await settled(open, step, say);
  return slow;
}

/** One of the month that is over, so that its reports have it. */
async function settled(open, step, say) {
  const age = daysToLastMonth(Date.now(), 12) * 24 * HOUR;
  const id = await open('complaint', 'minor', 'C002', say('误收停机通知', 'A wrong notice was sent'), age);
  await step(id, 'answered', age - 8);
  await step(id, 'resolved', age - 5 * HOUR, { text: say('已更正并致歉', 'put right, with an apology') });
  await step(id, 'callback', age - 7 * HOUR, { reached: true, result: 'satisfied' });
}

/** Rounds are owed by themselves soon after the server has begun. */
async function owed({ api }, kind, customer, name = '', title = '') {
  return until(
    async () => {
      const { items } = await api('GET', `/matters?kind=${kind}&state=live&customer=${customer}&limit=200`);
      return items.find((one) => one.class.includes(name) && one.title.includes(title))?.id;
    },
    `a ${kind} at ${customer} to be owed`,
    60_000,
  );
}

async function visits(desk) {
  const { api, say } = desk;
  const planned = async (customer, n, clock) => {
    const id = await owed(desk, 'visit', customer);
    await api('POST', `/matters/${id}/facts`, { kind: 'planned', until: at(n, clock) });
    return id;
  };
  await planned('C003', weekday(1), '10:00');
  await planned('C004', weekday(2), '14:30');
  await planned('C007', weekday(2), '09:30');
  await planned('K001', weekday(3), '15:00');
  const made = await planned('C001', 0, '09:00');
  await api('POST', `/matters/${made}/facts`, {
    kind: 'made',
    mode: 'face_to_face',
    name: say('信息科负责人', 'head of IT'),
    promises: [
      { title: say('提供近一年运行报告', 'A report about the past year'), until: at(weekday(3), '17:00') },
    ],
  });
  return made;
}

async function patrols(desk) {
  const { api, say } = desk;
  const site = say('一号配电室', 'distribution room 1');
  for (const cadence of ['weekly', 'quarterly'])
    await api('POST', '/duties', { pack: 'power-distribution', cadence, customer: 'P001', site });
  const weekly = await owed(desk, 'patrol', 'P001', 'weekly');
  const { items } = (await api('GET', '/packs')).items
    .find(({ name }) => name === 'power-distribution')
    .checklists.find(({ name }) => name === 'room');
  await api('POST', `/matters/${weekly}/facts`, {
    kind: 'made',
    mode: 'on_site',
    name: say('配电值班员', 'attendant on duty'),
    points: items.map(([name]) =>
      name === 'joints'
        ? { name, ok: false, note: say('T-1 低压侧接头 78 °C', 'joint of T-1 at 78 °C'), class: 'major' }
        : { name, ok: true },
    ),
  });
  const defect = await owed(desk, 'defect', 'P001');
  await api('POST', `/matters/${defect}/facts`, {
    kind: 'noticed',
    name: say('园区物业', 'the park’s office'),
  });
  const test = await owed(desk, 'patrol', 'P001', 'transformer-test', 'T-1');
  await api('POST', `/matters/${test}/facts`, {
    kind: 'permit_granted',
    permit: {
      to: say('试验班', 'test crew'),
      from: ago(HOUR),
      until: ago(-6 * HOUR),
      work: say('T-1 预防性试验', 'preventive test of T-1'),
      ticket: 'T-17',
      briefing: true,
      certificates: [
        {
          name: 'electrician',
          number: 'E-0042',
          valid_until: new Date(`${day(200)}T16:00:00Z`).toISOString(),
        },
      ],
    },
  });
  await api('POST', `/matters/${test}/facts`, { kind: 'begun' });
  return { defect, test };
}

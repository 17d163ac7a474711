// Sample data for the field page's mock: what an agent would tell a technician. Nothing of it is real.

const MIN = 60_000;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;

const label = (zh, en) => ({ zh, en });

export const PEOPLE = ['technician-1', 'technician-2'];
export const PASSWORD = 'sample-password-1';

const due = (kind, started, due_at, now, state = 'running') => ({
  kind,
  due_at: iso(due_at),
  state: state === 'running' && due_at < now ? 'missed' : state,
  remaining_ms: due_at - now,
  started_at: iso(started),
  warn_at: [0.5, 0.8].map((share) => iso(started + share * (due_at - started))),
  open: true,
});

export const iso = (ms) => new Date(ms).toISOString();
export const uuid = (n) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;

export function sampleWork(now) {
  return { faults: faults(now), matters: matters(now), lines: lines(now), customers: CUSTOMERS };
}

const CUSTOMERS = [
  {
    code: 'C001',
    name: '样例银行 Sample Bank',
    contact_name: 'duty desk',
    contact_phone: '000-0000-0001',
    sites: ['sample hall 1', 'sample hall 2'],
    lines: ['GX-0001', 'GX-0002'],
  },
  {
    code: 'C002',
    name: '样例学院 Sample College',
    contact_name: null,
    contact_phone: null,
    sites: ['sample library'],
    lines: ['GX-0003'],
  },
];

function lines(now) {
  const line = (code, n, site, state, more) => ({
    code,
    customer: CUSTOMERS[n].code,
    customer_name: CUSTOMERS[n].name,
    site,
    service: 'internet',
    tier: n ? 'A' : 'AAA',
    probe: `icmp://192.0.2.${Number(code.slice(-1))}`,
    interval_ms: 1_000,
    own: true,
    vantage_until: null,
    state,
    since: iso(now - 40 * MIN),
    rtt_us: state === 'up' ? 4_100 : null,
    loss: state === 'up' ? 0 : 1,
    fault: null,
    ...more,
  });
  return [
    line('GX-0001', 0, 'sample hall 1', 'down', { fault: uuid(1) }),
    line('GX-0002', 0, 'sample hall 2', 'up'),
    line('GX-0003', 1, 'sample library', 'degraded', { rtt_us: 86_000, loss: 0.08 }),
  ];
}

function faults(now) {
  const started = now - 40 * MIN;
  const fact = (n, kind, at, text, by) => ({
    id: uuid(10 + n),
    kind,
    occurred_at: iso(at),
    text,
    by,
    misfit: null,
    sent: true,
    here: false,
  });
  return [
    {
      id: uuid(1),
      line: 'GX-0001',
      customer: 'C001',
      customer_name: CUSTOMERS[0].name,
      site: 'sample hall 1',
      tier: 'AAA',
      state: 'dispatched',
      started_at: iso(started),
      sent: true,
      mine: true,
      deadlines: [
        due('restoration', started, started + 2 * HOUR, now),
        due('feedback', now - 10 * MIN, now + 20 * MIN, now),
      ],
      facts: [
        fact(1, 'down', started, '', 'sample-agent'),
        fact(2, 'dispatched', now - 30 * MIN, 'key at the gate', 'noc'),
      ],
      possible: ['arrived', 'restored', 'note'],
    },
  ];
}

function matters(now) {
  const matter = (n, kind, more) => ({
    id: uuid(100 + n),
    kind,
    class: 'general',
    label: null,
    customer: 'C001',
    customer_name: CUSTOMERS[0].name,
    line: null,
    site: 'sample hall 2',
    title: '',
    description: '',
    reporter: null,
    owner: 'manager-east',
    state: 'open',
    opened_at: iso(now - 3 * DAY),
    checklist: null,
    modes: [],
    possible: ['answered', 'told', 'resolved', 'note'],
    ...more,
  });
  return [
    matter(1, 'patrol', {
      class: 'room-quarter',
      label: label('机房季度巡检', 'Equipment room, each quarter'),
      deadlines: [due('patrol', now - 30 * DAY, now + 2 * DAY, now)],
      checklist: CHECKLIST,
      modes: ['on_site'],
      possible: [],
    }),
    matter(2, 'defect', {
      title: 'sample: cabinet door does not close',
      label: label('一般缺陷', 'General defect'),
      description: 'seen at the last round',
      deadlines: [due('resolution', now - 3 * DAY, now + 4 * DAY, now)],
    }),
    matter(3, 'promise', {
      title: 'sample: send the labels',
      customer: 'C002',
      customer_name: CUSTOMERS[1].name,
      site: 'sample library',
      deadlines: [due('resolution', now - 3 * DAY, now - 2 * HOUR, now)],
    }),
  ];
}

const CHECKLIST = {
  name: 'room',
  label: label('机房检查', 'Equipment room'),
  items: [
    ['optical_power', label('收光功率', 'Received optical power')],
    ['labels', label('标签完整', 'Labels complete')],
  ],
  readings: { optical_power: { unit: 'dBm', at_least: -24, at_most: -8 } },
};

export const CLASSES = [
  { kind: 'complaint', name: 'minor', label: label('轻微', 'Minor') },
  { kind: 'complaint', name: 'major', label: label('重大', 'Major') },
  { kind: 'defect', name: 'general', label: label('一般', 'General') },
];

const field = (name, zh, en, kind, more = {}) => ({
  name,
  label: label(zh, en),
  kind,
  required: false,
  ...more,
});

export const FORMS = [
  {
    pack: 'field-work',
    version: '2026.1',
    name: 'line-visit',
    label: label('专线现场作业', 'Work on a line'),
    for: 'visit',
    fields: [
      field('wrist_strap', '佩戴防静电腕带并接地', 'Wrist strap worn and grounded', 'yes_no', {
        required: true,
      }),
      field('medium', '接入方式', 'Medium', 'choice', {
        required: true,
        choices: [
          ['fibre', label('光纤', 'Fibre')],
          ['copper', label('铜缆', 'Copper')],
          ['radio', label('无线', 'Radio')],
        ],
      }),
      field('optical_power', '收光功率', 'Received optical power', 'number', {
        range: { unit: 'dBm', at_least: -24, at_most: -8 },
        when: { field: 'medium', is: ['fibre'] },
        help: label('在客户端端口测量', "Measured at the customer's port"),
      }),
      field('words', '说明', 'Remarks', 'paragraph'),
      field('cleared', '离场清理完毕', 'Site left clean', 'yes_no', { required: true }),
    ],
  },
  {
    pack: 'field-work',
    version: '2026.1',
    name: 'room-patrol',
    label: label('机房巡检', 'Round of an equipment room'),
    for: 'patrol',
    fields: [
      field('temperature', '机房温度', 'Temperature of the room', 'number', {
        required: true,
        range: { unit: '°C', at_least: 10, at_most: 30 },
      }),
    ],
  },
];

export const FINDINGS = [
  [
    'link',
    'ok',
    '网线已插好，千兆全双工。',
    'The cable is in, 1000 Mbit/s, full duplex.',
    [['mbit_per_s', 1000]],
  ],
  ['gateway', 'ok', '网关有应答。', 'The gateway answers.', [['rtt_ms', 0.4]]],
  ['far_end', 'fail', '对端没有应答。', 'The far end does not answer.', [['lost', '10 of 10']]],
  ['path', 'warn', '路径在第 3 跳之后中断。', 'The path ends after hop 3.', [['hops', 3]]],
].map(([check, grade, zh, en, figures]) => ({
  check,
  grade,
  code: `${check}_${grade}`,
  figures,
  text: label(zh, en),
}));

export const DOCTOR = [
  { check: 'enrolment', grade: 'ok', text: label('已注册。', 'Enrolled.') },
  {
    check: 'vault',
    grade: 'warn',
    text: label('密钥文件与数据在同一磁盘上。', 'The key file is on the same disk as the data.'),
  },
];

/** A line's minutes: well, with a burst of losses an hour ago. */
export function minutes(now, hours) {
  const last = Math.floor(now / MIN) * MIN;
  return Array.from({ length: hours * 60 }, (_, i) => {
    const at = last - (hours * 60 - i) * MIN;
    const lost = i > hours * 60 - 70 && i < hours * 60 - 60 ? 30 : 0;
    const us = 4_000 + 300 * Math.sin(i / 5);
    return {
      at: iso(at),
      sent: 60,
      lost,
      late: 0,
      not_sent: 0,
      min_us: Math.round(us - 400),
      avg_us: Math.round(us),
      max_us: Math.round(us + 900),
      jitter_us: 120,
    };
  });
}

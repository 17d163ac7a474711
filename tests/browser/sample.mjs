// Sample data for a picture of the board: customers and lines for `import`, and a story for each fault that is
// told to the server over its API. Nobody and nothing in it is real.

const MINUTE_MS = 60_000;
const DAY_MIN = 24 * 60;

const CUSTOMERS = [
  ['C001', '样例银行 Sample Bank', 'AAA', 'manager-east'],
  ['C002', '样例医院 Sample Clinic', 'AAA', 'manager-east'],
  ['C003', '样例物流 Sample Cargo', 'AA', 'manager-west'],
  ['C004', '样例电力 Sample Power', 'AAA', 'manager-north'],
  ['C005', '样例学院 Sample College', 'A', 'manager-west'],
  ['C006', '样例制造 Sample Works', 'AA', 'manager-south'],
  ['C007', '样例政务 Sample Civic', 'AA', 'manager-north'],
  ['C008', '样例酒店 Sample Hotel', 'standard', 'manager-south'],
];

const LINES = [
  ['GX-0101', 'C001', '机房 data hall', 'SDH 155M'],
  ['GX-0102', 'C001', '支行 branch 2', 'MPLS-VPN 100M'],
  ['GX-0201', 'C002', '门诊 wing A', 'internet 200M'],
  ['GX-0301', 'C003', '仓库 depot 3', 'internet 100M'],
  ['GX-0302', 'C003', '分拣 sorting', 'MPLS-VPN 50M'],
  ['GX-0401', 'C004', '调度 control', 'SDH 2M'],
  ['GX-0402', 'C004', '变电 substation', 'SDH 2M'],
  ['GX-0501', 'C005', '图书馆 library', 'internet 500M'],
  ['GX-0502', 'C005', '宿舍 hostel', 'internet 500M'],
  ['GX-0601', 'C006', '厂房 plant 2', 'MPLS-VPN 100M'],
  ['GX-0701', 'C007', '大厅 main hall', 'internet 200M'],
  ['GX-0702', 'C007', '档案 archive', 'SDH 2M'],
  ['GX-0801', 'C008', '站店 station', 'internet 100M'],
  ['GX-0802', 'C008', '湖店 lakeside', 'internet 100M'],
];

/**
 * `age` and the figure after each step: minutes ago. `told`: when the customer was given feedback. `past`: earlier
 * faults of the line, as [days ago, minutes without service].
 */
const STORIES = [
  {
    line: 'GX-0101',
    age: 131,
    steps: [
      ['acknowledged', 129],
      ['dispatched', 122],
    ],
    told: [106, 79, 52, 26],
    past: [
      [75, 58],
      [31, 62],
    ],
  },
  {
    line: 'GX-0102',
    age: 101,
    steps: [
      ['acknowledged', 97],
      ['dispatched', 90],
    ],
    told: [76, 50, 37, 11],
    past: [],
  },
  { line: 'GX-0201', age: 34, steps: [['acknowledged', 32]], told: [9], past: [[20, 318]] },
  {
    line: 'GX-0301',
    age: 171,
    steps: [
      ['acknowledged', 166],
      ['dispatched', 150],
    ],
    told: [118, 85, 53],
    past: [[44, 43]],
  },
  {
    line: 'GX-0302',
    age: 96,
    steps: [
      ['acknowledged', 93],
      ['dispatched', 84],
      [
        'paused',
        52,
        {
          cause: 'customer_access',
          reason: 'sample: the hall is locked until the shift changes',
          evidence: 'sample: photo of the gate',
        },
      ],
    ],
    told: [49, 12],
    past: [
      [120, 84],
      [88, 66],
      [12, 129],
    ],
  },
  { line: 'GX-0401', age: 12, steps: [], told: [], past: [] },
  {
    line: 'GX-0402',
    age: 190,
    steps: [
      ['acknowledged', 187],
      ['dispatched', 180],
      ['restored', 121],
      ['repaired', 75],
    ],
    told: [164, 140, 119],
    past: [[52, 47]],
  },
  {
    line: 'GX-0501',
    age: 212,
    steps: [
      ['acknowledged', 205],
      ['dispatched', 170],
    ],
    told: [156, 97, 38],
    past: [[61, 96]],
  },
  {
    line: 'GX-0502',
    age: 205,
    steps: [
      ['acknowledged', 199],
      ['dispatched', 181],
      ['restored', 28],
    ],
    told: [149, 92, 35],
    past: [],
  },
  {
    line: 'GX-0601',
    age: 236,
    steps: [
      ['acknowledged', 231],
      ['dispatched', 215],
    ],
    told: [180, 122, 64],
    past: [[100, 71]],
  },
  { line: 'GX-0701', age: 55, steps: [['acknowledged', 50]], told: [17], past: [[150, 38]] },
  {
    line: 'GX-0702',
    age: 1500,
    steps: [
      ['acknowledged', 1495],
      ['dispatched', 1480],
      ['restored', 1404],
      ['repaired', 1290],
    ],
    told: [1445, 1402],
    past: [],
  },
  { line: 'GX-0801', age: 3, steps: [], told: [], past: [] },
  {
    line: 'GX-0802',
    age: 402,
    steps: [
      ['acknowledged', 398],
      ['dispatched', 360],
    ],
    told: [343, 284, 226, 168, 110, 51],
    past: [[15, 55]],
  },
];

const csv = (header, rows) => [header, ...rows.map((row) => row.join(','))].join('\n') + '\n';

export const customersCsv = csv(
  'code,name,tier,pack,region,manager,manager_email,contact_name,contact_phone',
  CUSTOMERS.map(([code, name, tier, manager]) => [
    code,
    name,
    tier,
    'group-line',
    'sample',
    manager,
    `${manager}@example.invalid`,
    '值班台 duty desk',
    `000-0000-${code.replace('C', '0')}`,
  ]),
);

export const linesCsv = csv('code,customer,site,service', LINES);

/** Tells every story. `call(method, path, body)` is the API; `now` the moment to count back from (ms). */
export async function tellAll(call, now) {
  for (const story of STORIES) {
    for (const [days, minutes] of story.past) await tellPast(call, now, story.line, days, minutes);
    const fault = await report(call, now, story.line, story.age);
    const told = story.told.map((ago) => ['feedback', ago, { reached: true }]);
    await take(call, now, fault, [...story.steps, ...told]);
  }
  return STORIES.length;
}

/** A fault that was taken to its end, with feedback in time. */
async function tellPast(call, now, line, days, minutes) {
  const age = days * DAY_MIN;
  const fault = await report(call, now, line, age);
  const told = [];
  for (let at = 25; at < minutes; at += 25) told.push(['feedback', age - at, { reached: true }]);
  await take(call, now, fault, [
    ['acknowledged', age - 2],
    ['dispatched', age - 10],
    ...told,
    ['restored', age - minutes],
    ['feedback', age - minutes - 5, { reached: true }],
    ['repaired', age - minutes - 60],
    ['callback', age - minutes - 90, { reached: true, result: 'satisfied' }],
  ]);
}

const ago = (now, minutes) => new Date(now - minutes * MINUTE_MS).toISOString();

async function report(call, now, line, minutes) {
  const { id } = await call('POST', '/faults', {
    line,
    reported_at: ago(now, minutes),
    channel: 'hotline',
    reporter: '值班台 duty desk',
    description: '业务中断 (sample) no traffic since then',
  });
  return id;
}

/** Takes steps in the order in which they happened. */
async function take(call, now, fault, steps) {
  for (const [kind, minutes, fields] of steps.toSorted((a, b) => b[1] - a[1])) {
    const until = kind === 'paused' ? { until: ago(now, -180) } : {};
    await call('POST', `/faults/${fault}/facts`, {
      kind,
      occurred_at: ago(now, minutes),
      ...fields,
      ...until,
    });
  }
}

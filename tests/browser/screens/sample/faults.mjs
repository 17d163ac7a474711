// The faults of the sample desk, told to the server over its API: those that are open, one in each state, and those of the months before.

import { MINUTE_MS, ago, daysToLastMonth } from './time.mjs';

const DAY_MIN = 24 * 60;
const ACK = 'acknowledged';
const SENT = 'dispatched';

/** `age` and the figure of each step: minutes ago. `told`: when the customer was told. */
const stories = (say) => [
  {
    line: 'GX-0101',
    age: 131,
    words: say('业务全部中断，客户侧设备正常', 'no traffic at all; the customer’s own equipment is well'),
    steps: [
      [ACK, 129],
      [SENT, 122],
      ['note', 96, { text: say('光缆在二号井断开，正在熔接', 'fibre cut at manhole 2, splicing has begun') }],
    ],
    told: [106, 79, 52, 26],
  },
  {
    line: 'GX-0102',
    age: 101,
    steps: [
      [ACK, 97],
      [SENT, 90],
    ],
    told: [76, 50, 37, 11],
  },
  { line: 'GX-0201', age: 34, steps: [[ACK, 32]], told: [9] },
  {
    line: 'GX-0301',
    age: 171,
    steps: [
      [ACK, 166],
      [SENT, 150],
    ],
    told: [118, 85, 53],
  },
  {
    line: 'GX-0302',
    age: 96,
    steps: [
      [ACK, 93],
      [SENT, 84],
      [
        'paused',
        52,
        {
          cause: 'customer_access',
          reason: say('机房上锁，换班后才能进入', 'the hall is locked until the shift changes'),
          evidence: say('现场照片', 'photo of the gate'),
        },
      ],
    ],
    told: [49, 12],
  },
  { line: 'GX-0401', age: 12, steps: [], told: [] },
  {
    line: 'GX-0402',
    age: 190,
    steps: [
      [ACK, 187],
      [SENT, 180],
      ['restored', 121],
      ['repaired', 75],
    ],
    told: [164, 140, 119],
  },
  {
    line: 'GX-0501',
    age: 48,
    steps: [
      [ACK, 44],
      [SENT, 30],
    ],
    told: [],
  },
  { line: 'GX-0502', age: 47, steps: [[ACK, 44]], told: [] },
  { line: 'GX-0602', age: 46, steps: [], told: [] },
  {
    line: 'GX-0601',
    age: 236,
    steps: [
      [ACK, 231],
      [SENT, 215],
      ['restored', 28],
    ],
    told: [180, 122, 64],
  },
  { line: 'GX-0701', age: 55, steps: [[ACK, 50]], told: [17] },
  {
    line: 'GX-0702',
    age: 1500,
    steps: [
      [ACK, 1495],
      [SENT, 1480],
      ['restored', 1404],
      ['repaired', 1290],
    ],
    told: [1445, 1402],
  },
  { line: 'GX-0801', age: 3, steps: [], told: [] },
  {
    line: 'GX-0802',
    age: 402,
    steps: [
      [ACK, 398],
      [SENT, 360],
    ],
    told: [343, 284, 226, 168, 110, 51],
  },
];

/** Faults that are over: [line, days ago, minutes without service]. */
const PAST = [
  ...[
    ['GX-0101', 75, 58],
    ['GX-0201', 80, 90],
    ['GX-0301', 64, 43],
    ['GX-0302', 120, 84],
    ['GX-0302', 88, 66],
  ],
  ...[
    ['GX-0402', 92, 47],
    ['GX-0501', 101, 96],
    ['GX-0601', 100, 71],
    ['GX-0701', 150, 38],
    ['GX-0802', 115, 55],
  ],
  ...[
    ['GX-0402', 4, 64],
    ['GX-0303', 6, 133],
    ['PD-0102', 90, 75],
  ],
];
/** Faults of the month that is over: [line, day of that month, minutes without service]. */
const LAST_MONTH = [
  ...[
    ['GX-0101', 3, 62],
    ['GX-0103', 5, 96],
    ['GX-0201', 8, 141],
    ['GX-0302', 11, 129],
    ['GX-0303', 13, 82],
  ],
  ...[
    ['GX-0401', 15, 118],
    ['GX-0502', 17, 205],
    ['GX-0601', 19, 149],
    ['GX-0703', 22, 260],
    ['GX-0801', 24, 312],
  ],
  ...[
    ['KA-0101', 26, 88],
    ['PD-0101', 10, 168],
  ],
];

/** Tells every story. What is over is told first: the same line may be out again. */
export async function tellFaults({ api, say, now }) {
  for (const [line, days, minutes] of PAST) await tellPast(api, say, line, days * DAY_MIN, minutes);
  for (const [line, day, minutes] of LAST_MONTH)
    await tellPast(api, say, line, daysToLastMonth(now, day) * DAY_MIN, minutes, day === 22);
  const open = {};
  for (const story of stories(say)) {
    const words = story.words ?? say('业务中断', 'no traffic');
    const fault = await report(api, say, story.line, story.age, words);
    const told = story.told.map((then) => ['feedback', then, { reached: true }]);
    await take(api, fault, [...story.steps, ...told]);
    open[story.line] = fault;
  }
  await degrade(api, 'GX-0403', 25);
  return open;
}

/** A fault that was taken to its end, with the customer told in time. */
async function tellPast(api, say, line, age, minutes, again = false) {
  const fault = await report(api, say, line, age, say('业务中断', 'no traffic'));
  const told = [];
  for (let at = 25; at < minutes; at += 25) told.push(['feedback', age - at, { reached: true }]);
  const asked = (after, result) => ['callback', age - minutes - after, { reached: true, result }];
  await take(api, fault, [
    [ACK, age - 2],
    [SENT, age - 10],
    ...told,
    ['restored', age - minutes],
    ['feedback', age - minutes - 5, { reached: true }],
    ['repaired', age - minutes - 60],
    ...(again ? [asked(80, 'unsatisfied'), ['repaired', age - minutes - 95]] : []),
    asked(110, 'satisfied'),
  ]);
}

async function report(api, say, line, minutes, description) {
  const { id } = await api('POST', '/faults', {
    line,
    reported_at: ago(minutes),
    channel: 'hotline',
    reporter: say('值班台', 'duty desk'),
    description,
  });
  return id;
}

/** Takes steps in the order in which they happened. */
async function take(api, fault, steps) {
  for (const [kind, minutes, fields] of steps.toSorted((a, b) => b[1] - a[1])) {
    const until = kind === 'paused' ? { until: ago(-180) } : {};
    await api('POST', `/faults/${fault}/facts`, { kind, occurred_at: ago(minutes), ...fields, ...until });
  }
}

/** Another monitoring system says that a line loses packets. */
function degrade(api, line, minutes) {
  const alert = { status: 'firing', labels: { line, line_state: 'degraded' }, startsAt: ago(minutes) };
  return api('POST', '/alertmanager', { version: '4', alerts: [{ ...alert, fingerprint: 'sample' }] });
}

/** How many of a minute's 60 probes were lost, for the plot of a line that fell out so many minutes ago. */
export function lossOf(minutes, now) {
  const from = now - minutes * MINUTE_MS;
  return (at) => {
    if (at >= from) return 60;
    if (at >= from - 9 * MINUTE_MS) return 4 + ((at / MINUTE_MS) % 5) * 3;
    return at % (97 * MINUTE_MS) < MINUTE_MS ? 2 : 0;
  };
}

// Sample data for the mock: no real customer, person or line.

const MIN = 60_000;
const HOUR = 60 * MIN;
export const TIERS = {
  AAA: {
    label: { zh: '金牌', en: 'Gold' },
    restore: 2 * HOUR,
    feedback: 30 * MIN,
    faults: 4,
    outage: 6 * HOUR,
  },
  AA: {
    label: { zh: '银牌', en: 'Silver' },
    restore: 4 * HOUR,
    feedback: HOUR,
    faults: 6,
    outage: 12 * HOUR,
  },
  A: { label: { zh: '铜牌', en: 'Bronze' }, restore: 6 * HOUR, feedback: HOUR, faults: 8, outage: 24 * HOUR },
  standard: {
    label: { zh: '普通', en: 'Standard' },
    restore: 8 * HOUR,
    feedback: HOUR,
    faults: 10,
    outage: 28 * HOUR,
  },
};

const CUSTOMERS = [
  ['C001', '样例市商业银行', 'AAA', '总行数据中心', 'manager-east'],
  ['C002', '样例第一人民医院', 'AAA', '门诊楼机房', 'manager-east'],
  ['C003', '样例物流园区', 'AA', '三号库', 'manager-west'],
  ['C004', '样例城市供电公司', 'AAA', '调度大楼', 'manager-north'],
  ['C005', '样例职业技术学院', 'A', '图书馆', 'manager-west'],
  ['C006', '样例汽车零部件厂', 'AA', '二期厂房', 'manager-south'],
  ['C007', '样例连锁酒店', 'standard', '火车站店', 'manager-south'],
  ['C008', '样例区政务服务中心', 'AA', '一楼大厅', 'manager-north'],
];
/** The region of a customer is that of its manager. */
const REGIONS = {
  'manager-east': '城东',
  'manager-west': '城西',
  'manager-north': '城北',
  'manager-south': '城南',
};
const SERVICES = ['SDH 155M', 'MPLS-VPN 100M', 'Internet 200M', 'DDN 2M'];

export function lines() {
  return CUSTOMERS.flatMap(([customer, name, tier, site, owner], i) =>
    [1, 2, 3].map((n) => ({
      code: `${customer.replace('C0', 'GX-')}-${SERVICES[(i + n) % 4].split(/[ -]/)[0].toUpperCase()}-0${n}`,
      customer,
      customer_name: name,
      region: REGIONS[owner],
      site,
      service: SERVICES[(i + n) % 4],
      tier,
      state: 'up',
    })),
  );
}

export const customer = (code) => {
  const [, name, tier, site, owner] = CUSTOMERS.find((c) => c[0] === code);
  return { name, tier, site, owner, region: REGIONS[owner] };
};

export function emptyBoard() {
  const agents = { total: 6, silent: [], warned: [] };
  return { cursor: 1, serial: 0, lines: lines(), faults: [], suspected: [], agents };
}

/** [line index, minutes since start, state, extra] */
const STORY = [
  [0, 131, 'dispatched', { feedbackLeft: 4, count: 3, outage: 251 }],
  [3, 101, 'acknowledged', { feedbackLeft: 19, count: 1, outage: 101 }],
  [6, 170, 'dispatched', { feedbackLeft: -7, count: 2, outage: 214 }],
  [10, 34, 'open', { feedbackLeft: 26, count: 2, outage: 318, reported: true }],
  [12, 55, 'acknowledged', { feedbackLeft: 5, count: 1, outage: 55 }],
  [15, 96, 'dispatched', { feedbackLeft: 41, count: 4, outage: 420, paused: true }],
  [18, 212, 'dispatched', { feedbackLeft: 38, count: 2, outage: 260 }],
  [21, 12, 'open', { feedbackLeft: null, count: 1, outage: 12, reported: false }],
  [7, 205, 'restored', { feedbackLeft: 33, count: 2, outage: 140 }],
  [13, 1500, 'repaired', { callbackLeft: 130, count: 3, outage: 96 }],
  [16, 3, 'open', { feedbackLeft: 57, count: 1, outage: 3 }],
];

export function sampleBoard(now) {
  const world = emptyBoard(now);
  for (const [index, minutes, state, extra] of STORY)
    world.faults.push(fault(world, now, index, minutes, state, extra));
  world.agents = {
    total: 14,
    silent: [
      {
        name: 'edge-logistics-3',
        last_seen_at: iso(now - 13 * MIN),
        silent_since: iso(now - 12 * MIN),
        lines: 2,
      },
      { name: 'laptop-07', last_seen_at: iso(now - 190 * MIN), silent_since: iso(now - 189 * MIN), lines: 1 },
    ],
    warned: [{ name: 'edge-college', warnings: ['disk_low'] }],
  };
  for (const index of [8, 19]) {
    const line = world.lines[index];
    const { name, tier } = customer(line.customer);
    world.suspected.push({
      id: `s-${index}`,
      line: line.code,
      customer: line.customer,
      customer_name: name,
      tier,
      agent: index === 8 ? 'edge-logistics-3' : 'laptop-07',
      since: iso(now - 12 * MIN),
    });
  }
  return world;
}

function fault(world, now, index, minutes, state, extra) {
  const line = world.lines[index];
  const made = newFault(world, line, now - minutes * MIN, extra.reported ?? minutes % 2 === 1, now);
  const f = made.fault;
  line.state = ['restored', 'repaired'].includes(state) ? 'up' : 'down';
  Object.assign(f, { state, line_state: line.state });
  f.repeat.count = extra.count;
  f.interruption.ms = extra.outage * MIN;
  f.interruption.exhausted_at = iso(now + f.interruption.limit_ms - f.interruption.ms);
  if (extra.feedbackLeft !== undefined) {
    f.feedback =
      extra.feedbackLeft === null ? null : due(now + extra.feedbackLeft * MIN, now, TIERS[f.tier].feedback);
  }
  if (extra.paused) Object.assign(f.restoration, { state: 'paused', remaining_ms: 144 * MIN });
  if (f.line_state === 'up') {
    Object.assign(f.restoration, { state: 'met', met_at: iso(now - 64 * MIN) });
    if (state === 'restored') f.repair = due(now + 71 * HOUR + 12 * MIN, now, 72 * HOUR);
    else f.callback = due(now + extra.callbackLeft * MIN, now, 24 * HOUR);
    if (state === 'repaired') f.feedback = null;
    Object.assign(f.interruption, { running: false, exhausted_at: null });
  }
  for (const step of ['acknowledged', 'dispatched', 'restored', 'repaired']) {
    if (state === 'open') break;
    made.facts.push(fact(world, step, f, minutes, now));
    if (step === state) break;
  }
  return made;
}

function fact(world, kind, f, minutes, now) {
  const at = { acknowledged: 0.94, dispatched: 0.85, restored: 0.32, repaired: 0.1 }[kind];
  const occurred = iso(now - minutes * at * MIN);
  const late = kind === 'restored';
  const recorded = late ? iso(now - minutes * 0.2 * MIN) : occurred;
  const by = late ? 'technician-4' : 'noc-2';
  return {
    id: `e-${++world.serial}`,
    kind,
    occurred_at: occurred,
    recorded_at: recorded,
    by,
    late,
    corrected_ms: late ? -4200 : 0,
    uncertain: late,
    misfit: null,
  };
}

const EVIDENCE = {
  degraded: false,
  sent: 24,
  lost: 9,
  recent: '...............xxxxxxxxx',
  longest_run: 9,
  longest_run_ms: 8200,
  bursts: [],
  last_rtt_us: 4180,
  confirmations: [
    { by: 'gateway', heard: 'answer' },
    { by: 'outside', heard: 'answer' },
  ],
};

export const PACKS = [
  {
    name: 'group-line',
    version: '2026.1',
    pause_causes: [
      { name: 'customer_access', label: { zh: '客户不允许进入', en: 'Customer keeps us out' } },
      { name: 'customer_hold', label: { zh: '客户要求暂缓', en: 'Customer asks to hold' } },
    ],
    exempt_causes: [{ name: 'customer_power', label: { zh: '客户侧停电', en: "Customer's power off" } }],
  },
];

export const iso = (ms) => new Date(ms).toISOString();

export function due(at, now, allowance) {
  const left = at - now;
  return {
    due_at: iso(at),
    state: left < 0 ? 'missed' : 'running',
    remaining_ms: left,
    met_at: null,
    allowance_ms: allowance,
  };
}

export function newFault(world, line, startedMs, reported, now) {
  const { name, site, owner, region } = customer(line.customer);
  const tier = TIERS[line.tier];
  const id = `f-${++world.serial}`;
  const fault = {
    id,
    line: line.code,
    line_state: reported ? line.state : 'down',
    site,
    service: line.service,
    customer: line.customer,
    customer_name: name,
    region,
    tier: line.tier,
    tier_label: tier.label,
    state: 'open',
    started_at: iso(startedMs),
    reported,
    aliases: [],
    pack: 'group-line 2026.1',
    detected_at: reported ? null : iso(startedMs),
    reported_at: reported ? iso(startedMs) : null,
    proposed_restored_at: null,
    restored_at: null,
    closed_at: null,
    exempt: null,
    follows: null,
    restoration: due(startedMs + tier.restore, now, tier.restore),
    feedback: reported ? due(startedMs + tier.feedback, now, tier.feedback) : null,
    repair: null,
    callback: null,
    repeat: { count: 1, limit: tier.faults, year: 2026 },
    interruption: { ms: 0, limit_ms: tier.outage, year: 2026, running: true, exhausted_at: null },
    owner,
    contact: { name: '值班联系人 (duty desk)', phone: '000-0000-0000' },
  };
  const first = reported
    ? {
        kind: 'reported',
        by: 'noc-1',
        channel: 'hotline',
        reporter: 'duty desk',
        description: '业务中断，无法访问 (sample text)',
      }
    : { kind: 'down', by: 'agent edge-1', agent: 'edge-1', evidence: EVIDENCE };
  const at = iso(startedMs);
  const facts = [
    {
      id: `e-${++world.serial}`,
      occurred_at: at,
      recorded_at: at,
      late: false,
      corrected_ms: 0,
      uncertain: false,
      misfit: null,
      ...first,
    },
  ];
  return { fault, facts, seenAt: now };
}

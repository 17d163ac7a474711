// Whom the sample desk serves: customers, lines, sites and equipment for `import`, each name in Chinese and English.
// Nobody and nothing in it is real.

/** [code, zh, en, tier, pack, region, manager, telephone]; no telephone: it is wanting. */
const CUSTOMERS = [
  ['C001', '样例银行', 'Sample Bank', 'AAA', 'group-line', 'east', 'manager-east', '010-5550-0101'],
  ['C002', '样例医院', 'Sample Hospital', 'AAA', 'group-line', 'east', 'manager-east', '010-5550-0102'],
  ['C003', '样例物流', 'Sample Cargo', 'AA', 'group-line', 'west', 'manager-west', '010-5550-0103'],
  ['C004', '样例电力', 'Sample Power', 'AAA', 'group-line', 'north', 'manager-north', '010-5550-0104'],
  ['C005', '样例学院', 'Sample College', 'A', 'group-line', 'west', 'manager-west', ''],
  ['C006', '样例制造', 'Sample Works', 'AA', 'group-line', 'east', 'manager-east', '010-5550-0106'],
  [
    'C007',
    '样例政务中心',
    'Sample Civic Hall',
    'AA',
    'group-line',
    'north',
    'manager-north',
    '010-5550-0107',
  ],
  ['C008', '样例酒店', 'Sample Hotel', 'standard', 'group-line', 'west', '', '12'],
  ['C009', '样例印务', 'Sample Print', 'standard', 'group-line', 'west', 'manager-west', '010-5550-0109'],
  ['K001', '样例证券', 'Sample Exchange', 'good', 'key-account', 'east', 'manager-east', '010-5550-0201'],
  ['K002', '样例航空', 'Sample Air', 'ordinary', 'key-account', 'north', 'manager-north', '010-5550-0202'],
  [
    'P001',
    '样例科技园',
    'Sample Park',
    'important',
    'power-distribution',
    'east',
    'manager-east',
    '010-5550-0301',
  ],
];

/** [code, customer, zh, en, service, upstream, whether the agent probes it]. */
const LINES = [
  ['GX-0101', 'C001', '数据中心机房', 'data hall', 'SDH 155M'],
  ['GX-0102', 'C001', '第二支行', 'branch 2', 'MPLS-VPN 100M'],
  ['GX-0103', 'C001', '第三支行', 'branch 3', 'MPLS-VPN 100M', '', true],
  ['GX-0201', 'C002', '门诊楼', 'wing A', 'internet 200M'],
  ['GX-0202', 'C002', '住院部', 'wing B', 'internet 200M', '', true],
  ['GX-0301', 'C003', '三号仓库', 'depot 3', 'internet 100M'],
  ['GX-0302', 'C003', '分拣中心', 'sorting hall', 'MPLS-VPN 50M'],
  ['GX-0303', 'C003', '调度室', 'dispatch room', 'internet 100M', '', true],
  ['GX-0401', 'C004', '调度大厅', 'control room', 'SDH 2M'],
  ['GX-0402', 'C004', '变电站', 'substation', 'SDH 2M'],
  ['GX-0403', 'C004', '营业厅', 'front office', 'internet 100M'],
  ['GX-0501', 'C005', '图书馆', 'library', 'internet 500M', 'OLT-05'],
  ['GX-0502', 'C005', '宿舍区', 'hostel', 'internet 500M', 'OLT-05'],
  ['GX-0601', 'C006', '二号厂房', 'plant 2', 'MPLS-VPN 100M'],
  ['GX-0602', 'C006', '研发楼', 'workshop', 'MPLS-VPN 100M', 'OLT-05'],
  ['GX-0701', 'C007', '办事大厅', 'main hall', 'internet 200M'],
  ['GX-0702', 'C007', '档案馆', 'archive', 'SDH 2M'],
  ['GX-0703', 'C007', '分中心', 'annex', 'internet 100M', '', true],
  ['GX-0801', 'C008', '车站店', 'station house', 'internet 100M'],
  ['GX-0802', 'C008', '湖滨店', 'lake house', 'internet 100M'],
  ['GX-0901', 'C009', '印刷车间', 'press room', 'internet 50M'],
  ['KA-0101', 'K001', '交易大厅', 'trading floor', 'SDH 155M', '', true],
  ['KA-0201', 'K002', '票务中心', 'ticket office', 'internet 200M'],
  ['PD-0101', 'P001', '一号配电室', 'distribution room 1', '10 kV'],
  ['PD-0102', 'P001', '二号配电室', 'distribution room 2', '10 kV'],
];

const table = (header, rows) => [header, ...rows.map((row) => row.join(','))].join('\n') + '\n';

/** The tables in the language that `say(zh, en)` chooses. */
export function tables(say) {
  const regions = { east: say('东区', 'east'), west: say('西区', 'west'), north: say('北区', 'north') };
  const rooms = [say('一号配电室', 'distribution room 1'), say('二号配电室', 'distribution room 2')];
  return {
    customers: table(
      'code,name,tier,pack,region,manager,manager_email,deputy,deputy_email,contact_name,contact_phone',
      CUSTOMERS.map(([code, zh, en, tier, pack, region, manager, phone]) => [
        ...[code, say(zh, en), tier, pack, regions[region], manager, manager && `${manager}@example.invalid`],
        ...(manager === 'manager-east' ? ['deputy-east', 'deputy-east@example.invalid'] : ['', '']),
        ...[phone && say('值班台', 'duty desk'), phone],
      ]),
    ),
    lines: table(
      'code,customer,site,service,upstream,agent,probe,interval',
      LINES.map(([code, customer, zh, en, service, upstream = '', probed], n) => [
        ...[code, customer, say(zh, en), service.replace('internet', say('互联网', 'internet')), upstream],
        ...(probed ? ['sample-agent', `icmp://127.0.0.${n + 2}`, '1s'] : ['', '', '']),
      ]),
    ),
    sites: table('customer,name,access_hours,access_contact,access_phone', [
      [
        'P001',
        rooms[0],
        say('周一-周五 08:30-17:30', 'Mon-Fri 08:30-17:30'),
        say('门卫室', 'gate house'),
        '010-5550-0311',
      ],
      ['P001', rooms[1], 'daily 07:00-22:00', say('门卫室', 'gate house'), '010-5550-0311'],
      [
        'C001',
        say('数据中心机房', 'data hall'),
        'daily 07:00-22:00',
        say('机房值班', 'hall desk'),
        '010-5550-0111',
      ],
    ]),
    equipment: table('customer,site,label,kind,condition,installed_on,tested_on', [
      ['P001', rooms[0], 'T-1', 'transformer', 'class-1', '2019-05-10', '2024-05-01'],
      ['P001', rooms[0], 'T-2', 'transformer', 'class-2', '2019-05-10', '2026-03-12'],
      ['P001', rooms[0], 'G-1', 'switchgear', 'class-1', '2019-05-10', '2025-04-02'],
      ['P001', rooms[0], 'R-1', 'relay', 'class-1', '2021-09-01', '2026-02-20'],
      ['P001', rooms[1], 'T-3', 'transformer', 'class-1', '2022-03-15', '2026-04-08'],
    ]),
  };
}

// Every page of which a picture is made.
//
// `path(ids)` is its address behind `#/`; `ready` must be seen; `as` who looks (the desk otherwise); `empty`: an empty
// state may be on it; `inVain` what it may ask the API for and not find; `size` and `dark` of the picture (1366×768 and
// light otherwise).

import { month, planYear } from './sample/time.mjs';

const PHONE = { width: 390, height: 844 };
const WALL = { width: 1920, height: 1080 };
const last = month(-1);
const year = month().slice(0, 4);

export const PAGES = [
  { name: 'board', path: () => '', ready: 'tr[data-line=GX-0401]' },
  { name: 'board-dark', path: () => '', ready: 'tr[data-line=GX-0401]', dark: true },
  { name: 'board-phone', path: () => '', ready: 'tr[data-line=GX-0401]', size: PHONE },
  { name: 'board-fault', path: ({ fault }) => `faults/${fault}`, ready: 'aside [data-fact]' },
  { name: 'fault', path: ({ fault }) => `fault/${fault}`, ready: '[data-panel=told]' },
  { name: 'lines', path: () => 'lines', ready: 'tr[data-code]' },
  { name: 'line', path: () => 'lines/GX-0101', ready: '[data-panel=calendar] button' },
  { name: 'calls', path: ({ fault }) => `calls/feedback/${fault}`, ready: '[data-card] [data-script]' },
  { name: 'matters', path: () => 'matters', ready: 'tr[data-matter]' },
  { name: 'matter', path: ({ complaint }) => `matters/${complaint}`, ready: '[data-fact=postponed]' },
  { name: 'defect', path: ({ defect }) => `matters/${defect}`, ready: '[data-fact=noticed]', empty: true },
  { name: 'visits', path: () => 'visits', ready: '[data-round]' },
  { name: 'visits-calendar', path: () => 'visits?view=calendar', ready: '[data-entry]' },
  { name: 'visits-duties', path: () => 'visits?view=duties', ready: '[data-duty]' },
  { name: 'visits-reports', path: () => 'visits?view=reports', ready: 'ol li dd' },
  { name: 'visit', path: ({ round }) => `visits/${round}`, ready: '[data-fact=made]', empty: true },
  { name: 'conflicts', path: () => 'conflicts', ready: '[data-page] .quiet, tr[data-conflict]', empty: true },
  { name: 'permit', path: ({ test }) => `visits/${test}`, ready: '[data-fact=begun]' },
  { name: 'customers', path: () => 'customers', ready: 'tr[data-customer=C001]' },
  { name: 'customers-risks', path: () => 'customers?view=risks', ready: 'tr[data-risk=C005]' },
  { name: 'customers-managers', path: () => 'customers?view=managers', ready: 'tr[data-manager]' },
  { name: 'customers-incomplete', path: () => 'customers?view=incomplete', ready: 'tr[data-incomplete]' },
  {
    name: 'plan',
    path: () => `customers/K001/plans/${planYear()}`,
    ready: '[data-measure]',
    as: 'head',
  },
  {
    name: 'customers-grades',
    path: () => 'customers?view=grades',
    ready: '[data-proposal=K001]',
    as: 'head',
  },
  {
    name: 'customers-admissions',
    path: () => 'customers?view=admissions',
    ready: 'tr[data-admission]',
    as: 'head',
  },
  {
    name: 'customers-contractors',
    path: () => 'customers?view=contractors',
    ready: 'tr[data-contractor]',
    as: 'head',
  },
  {
    name: 'customer',
    path: () => 'customers/C001',
    ready: '[data-panel=rounds] [data-due]',
    empty: true,
    // Whether there is a plan of the year: not every customer has one.
    inVain: /\/plans\/\d{4}$/,
  },
  { name: 'site', path: ({ site }) => `customers/P001/sites/${site}`, ready: 'tr[data-piece]' },
  {
    name: 'equipment',
    path: ({ site, piece }) => `customers/P001/sites/${site}/${piece}`,
    ready: '[data-piece-page]',
    empty: true,
  },
  { name: 'shift', path: () => 'shift', ready: '[data-owner] [data-item]', empty: true },
  { name: 'shift-handover', path: () => 'shift?view=handover', ready: '[data-sign]' },
  { name: 'shift-rota', path: () => 'shift?view=rota', ready: 'table[data-rota]' },
  { name: 'shift-absences', path: () => 'shift?view=absences', ready: 'tr[data-absence]' },
  { name: 'shift-work', path: () => 'shift?view=work', ready: '[data-work]' },
  { name: 'reports', path: () => `reports/month/${last}?group=customer`, ready: '[data-report]' },
  { name: 'papers', path: () => `reports/papers/${last}`, ready: '[data-copy]', as: 'head' },
  {
    name: 'assessment',
    path: () => `reports/assessment/${year}?customer=P001`,
    ready: '[data-assessment=P001]',
  },
  { name: 'quality', path: () => `reports/quality/${last}`, ready: '[data-found]', as: 'head' },
  { name: 'hotline', path: () => `reports/hotline/${last}`, ready: '[data-panel=months] tbody tr' },
  { name: 'surveys', path: () => 'reports/surveys', ready: 'table tbody tr' },
  { name: 'survey', path: ({ survey }) => `reports/surveys/${survey}`, ready: 'tr[data-group]' },
  { name: 'mine', path: () => 'mine', ready: '[data-owed]', as: 'manager-east' },
  { name: 'wall', path: () => 'wall', ready: '[data-wall-line]', size: WALL },
  { name: 'admin-packs', path: () => 'admin/packs', ready: '[data-pack=group-line]', as: 'head' },
  { name: 'admin-alerts', path: () => 'admin/alerts', ready: '[data-panel] tbody tr', as: 'head' },
  { name: 'admin-texts', path: () => 'admin/texts', ready: 'tr[data-text]', as: 'head' },
  { name: 'admin-agents', path: () => 'admin/agents', ready: '[data-agent=sample-agent]', as: 'head' },
  {
    name: 'admin-agent',
    path: () => 'admin/agents/sample-agent',
    ready: '[data-panel=agent-customers] form',
    as: 'head',
    empty: true,
  },
  { name: 'admin-users', path: () => 'admin/users', ready: '[data-user=head]', as: 'head' },
  { name: 'account', path: () => 'account', ready: '[data-session=here]', as: 'head' },
  { name: 'admin-trail', path: () => 'admin/trail', ready: '[data-entry]', as: 'head' },
  { name: 'admin-privacy', path: () => 'admin/privacy', ready: 'tr[data-erasure]', as: 'head' },
];

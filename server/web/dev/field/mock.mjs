// A stand-in for the agent's local API, for working on the field page and for its tests without an agent. It keeps what is
// written in memory, and knows just enough of the rules for the page to have something to show.

import { randomUUID } from 'node:crypto';
import { drafts } from './drafts.mjs';
import { CLASSES, DOCTOR, FINDINGS, FORMS, iso, minutes, PASSWORD, PEOPLE, sampleWork } from './sample.mjs';

const BODY_MAX = 8 << 20;

export function createFieldMock({ now = () => Date.now() } = {}) {
  const world = {
    now,
    ...sampleWork(now()),
    user: null,
    token: null,
    locked: false,
    tries: 0,
    drafts: new Map(),
    images: new Map(),
    visits: new Map(),
    saved: [],
    ids: new Set(),
    diagnoses: new Map(),
    synced: now(),
    /** While set, nothing answers. */
    dead: false,
  };
  const routes = [...session(world), ...work(world), ...writes(world), ...drafts(world)];

  return {
    world,
    /** Answers a request of the API; false for any other. */
    handle(req, res) {
      const url = new URL(req.url, 'http://x');
      if (!url.pathname.startsWith('/api/')) return false;
      if (world.dead) return req.socket.destroy();
      void answer(world, routes, req, res, url);
      return true;
    },
  };
}

async function answer(world, routes, req, res, url) {
  const path = url.pathname.slice('/api'.length);
  for (const [method, pattern, run, open = false] of routes) {
    const match = method === req.method && pattern.exec(path);
    if (!match) continue;
    if (!open && !world.user) return send(res, [401, { code: 'signed_out', detail: 'sign in' }]);
    const named = req.headers['x-linewatch-token'];
    if (!open && method !== 'GET' && named !== world.token) return send(res, [403, { code: 'other_site' }]);
    const body = await bodyOf(req);
    return send(res, run({ match, url, body, type: req.headers['content-type'] ?? '' }));
  }
  send(res, [404, { code: 'not_found', detail: 'there is nothing here' }]);
}

async function bodyOf(req) {
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size > BODY_MAX) break;
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const isJson = /json/.test(req.headers['content-type'] ?? '');
  return isJson && bytes.length ? JSON.parse(bytes.toString('utf8')) : bytes;
}

function send(res, [status, body, type]) {
  if (type) return void res.writeHead(status, { 'content-type': type }).end(body);
  const kind = status < 400 ? 'application/json' : 'application/problem+json';
  res.writeHead(status, { 'content-type': kind, 'cache-control': 'no-store' });
  res.end(body === undefined ? '' : JSON.stringify(body));
}

function session(world) {
  const device = () => ({
    name: 'sample-laptop',
    enrolled: true,
    locked: world.locked,
    version: '0.1.0',
  });
  const told = () => ({
    device: device(),
    people: PEOPLE,
    user: world.user && { name: world.user, role: 'technician' },
    token: world.token,
    now: iso(world.now()),
  });
  const signIn = ({ body }) => {
    if (world.locked) return [403, { code: 'locked' }];
    if (body.password !== PASSWORD) {
      world.tries += 1;
      if (world.tries > 5) return [429, { code: 'too_many_tries', retry_after_s: 30 }];
      return [401, { code: 'wrong_password' }];
    }
    Object.assign(world, { user: body.user, token: randomUUID(), tries: 0 });
    return [200, { user: { name: body.user, role: 'technician' }, token: world.token }];
  };
  const signOut = () => {
    Object.assign(world, { user: null, token: null });
    return [204];
  };
  return [
    ['GET', /^\/session$/, () => [200, told()], true],
    ['POST', /^\/session$/, signIn, true],
    ['DELETE', /^\/session$/, signOut],
  ];
}

function work(world) {
  const unsent = () => {
    const waiting = world.saved.filter(({ state }) => state !== 'complete');
    const parts = waiting.reduce((all, { parts }) => all + parts.total - parts.whole, 0);
    const bytes = waiting.reduce((all, { parts }) => all + parts.bytes - parts.sent_bytes, 0);
    return { records: waiting.filter(({ state }) => state === 'here').length, parts, bytes };
  };
  const sync = () => ({
    enrolled: true,
    connected: false,
    last_contact_at: iso(world.synced),
    offset_ms: 40,
    trouble: null,
    unsent: unsent(),
    rate_bytes_per_s: null,
    rest_ms: null,
    progress: null,
  });
  const all = () => {
    const { faults, matters, lines, customers } = world;
    return { as_of: iso(world.now()), faults, matters, lines, customers, sync: sync() };
  };
  const diagnose = ({ match }) => {
    const id = randomUUID();
    world.diagnoses.set(id, { line: decodeURIComponent(match[1]), asked: 0 });
    return [202, { id }];
  };
  const diagnosis = ({ match }) => {
    const it = world.diagnoses.get(match[1]);
    if (!it) return [404, { code: 'not_found' }];
    it.asked += 1;
    const done = it.asked >= FINDINGS.length;
    const findings = FINDINGS.slice(0, it.asked);
    return [
      200,
      { state: done ? 'done' : 'running', line: it.line, findings, record: done ? match[1] : null },
    ];
  };
  return [
    ['GET', /^\/work$/, () => [200, all()]],
    [
      'GET',
      /^\/lines\/([^/]+)\/minutes$/,
      ({ url }) => [200, { minutes: minutes(world.now(), Number(url.searchParams.get('hours'))) }],
    ],
    ['POST', /^\/lines\/([^/]+)\/diagnosis$/, diagnose],
    ['GET', /^\/diagnoses\/([^/]+)$/, diagnosis],
    ['GET', /^\/forms$/, () => [200, FORMS]],
    ['GET', /^\/classes$/, () => [200, CLASSES]],
    ['GET', /^\/saved$/, () => [200, world.saved]],
    ['GET', /^\/doctor$/, () => [200, DOCTOR]],
    ['POST', /^\/sync$/, () => [202]],
  ];
}

function writes(world) {
  /** Stored once, however often it is sent. */
  const once = (body, kind, about, run) => {
    if (world.ids.has(body.id)) return [200, { id: body.id }];
    const atMs = body.occurred_at ? Date.parse(body.occurred_at) : world.now();
    if (world.now() - atMs > 5 * 60_000 && !body.reason) return [422, { code: 'reason_missing' }];
    if (atMs - world.now() > 5 * 60_000) return [422, { code: 'in_the_future' }];
    const refused = run(iso(atMs));
    if (refused) return refused;
    world.ids.add(body.id);
    const parts = { total: 0, whole: 0, bytes: 0, sent_bytes: 0 };
    const { title = '', customer = null, line = null } = about;
    world.saved.unshift({
      id: body.id,
      kind,
      title,
      customer,
      line,
      at: iso(atMs),
      by: world.user,
      state: 'here',
      parts,
    });
    return [201, { id: body.id }];
  };
  const step = ({ match, body }) => {
    const fault = world.faults.find(({ id }) => id === match[1]);
    if (!fault) return [404, { code: 'not_found' }];
    return once(body, 'step', { title: body.kind, line: fault.line }, (at) => {
      if (!fault.possible.includes(body.kind)) return [409, { code: 'impossible', possible: fault.possible }];
      const fact = { id: body.id, kind: body.kind, occurred_at: at, text: body.note ?? '', by: world.user };
      fault.facts.push({ ...fact, misfit: null, sent: false, here: true });
      advance(fault, body.kind);
    });
  };
  const report = ({ body }) =>
    once(body, 'report', { title: body.description, line: body.line }, (at) => {
      const line = world.lines.find(({ code }) => code === body.line);
      const { customer, customer_name, site, tier } = line;
      const possible = ['acknowledged', 'dispatched', 'arrived', 'restored', 'note'];
      const fault = { id: body.id, line: line.code, customer, customer_name, site, tier, state: 'open' };
      const more = { started_at: at, sent: false, mine: true, deadlines: [], facts: [], possible };
      world.faults.push({ ...fault, ...more });
    });
  const takeIn = ({ body }) =>
    once(body, 'opened', body, (at) => {
      const { name } = world.customers.find(({ code }) => code === body.customer);
      const matter = { label: null, line: null, site: null, class: '', ...body, customer_name: name };
      const possible = ['answered', 'told', 'resolved', 'note'];
      const more = {
        owner: null,
        state: 'open',
        opened_at: at,
        deadlines: [],
        checklist: null,
        modes: [],
        possible,
      };
      world.matters.push({ ...matter, ...more });
    });
  const deed = ({ match, body }) => {
    const matter = world.matters.find(({ id }) => id === match[1]);
    if (!matter) return [404, { code: 'not_found' }];
    return once(body, 'deed', matter, () => {
      if (body.kind === 'resolved') Object.assign(matter, { state: 'resolved', possible: ['note'] });
    });
  };
  return [
    ['POST', /^\/faults$/, report],
    ['POST', /^\/faults\/([^/]+)\/steps$/, step],
    ['POST', /^\/matters$/, takeIn],
    ['POST', /^\/matters\/([^/]+)\/steps$/, deed],
  ];
}

function advance(fault, kind) {
  if (kind === 'restored') {
    Object.assign(fault, { state: 'restored', possible: ['repaired', 'note'] });
    fault.deadlines = fault.deadlines.map((due) => ({ ...due, open: false, state: 'met' }));
  } else if (kind === 'repaired') Object.assign(fault, { state: 'repaired', possible: ['note'] });
  else if (kind === 'arrived') fault.possible = ['restored', 'note'];
  else if (kind !== 'note') fault.possible = fault.possible.filter((it) => it !== kind);
}

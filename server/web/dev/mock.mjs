// The API's shapes with a small simulated world behind them. For development and for looking at the page.

import { advance, applyStep, deadlines, possible } from './rules.mjs';
import { PACKS, iso, newFault } from './sample.mjs';

const USERS = { noc: { user: 'noc', name: '监控值班 (sample)', role: 'noc' } };
const BODY_LIMIT = 64 * 1024;

export function createMock(world, changed = () => {}) {
  const viewers = new Set();
  const engine = { alive: true, lag_ms: 40 };

  const render = (entry) => ({ ...entry.fault, possible: possible(entry.fault) });
  const send = (type, data) => {
    const frame = `id: ${world.cursor}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
    for (const res of viewers) res.write(frame);
  };
  const tell = (entry) => {
    world.cursor += 1;
    send('fault', { fault: render(entry) });
    changed();
  };

  function step() {
    const now = Date.now();
    for (const entry of world.faults) {
      const marks = advance(entry.fault, entry.seenAt, now);
      entry.seenAt = now;
      for (const [kind, mark] of marks) {
        world.cursor += 1;
        send('deadline', { fault: entry.fault.id, line: entry.fault.line, kind, mark, at: iso(now) });
      }
      if (marks.length) tell(entry);
    }
  }
  setInterval(step, 500).unref();
  setInterval(() => send('tick', { as_of: iso(Date.now()), engine }), 5000).unref();

  const open = () => world.faults.filter((e) => !['closed', 'withdrawn'].includes(e.fault.state));
  const board = () => {
    step();
    const { cursor, suspected, agents } = world;
    return {
      as_of: iso(Date.now()),
      cursor: String(cursor),
      engine,
      faults: open().map(render),
      suspected,
      agents,
    };
  };

  function report(body) {
    const line = world.lines.find((l) => l.code === body.line);
    if (!line) return problem(404, 'unknown_line', `no line is called ${body.line}`);
    const reported = Date.parse(body.reported_at);
    if (reported > Date.now() + 300_000)
      return problem(422, 'in_future', 'reported_at is more than 5 minutes ahead');
    const joined = open().find((e) => e.fault.line === line.code);
    const entry = joined ?? newFault(world, line, reported, true, Date.now());
    if (joined) entry.fault.reported = true;
    else world.faults.push(entry);
    entry.facts[joined ? entry.facts.length : 0] = stored({
      ...body,
      kind: 'reported',
      occurred_at: body.reported_at,
    });
    tell(entry);
    return [joined ? 200 : 201, render(entry)];
  }

  const stored = (body) => {
    const now = iso(Date.now());
    const id = `e-${++world.serial}`;
    const late = Date.parse(body.occurred_at ?? now) < Date.now() - 120_000;
    return {
      occurred_at: now,
      ...body,
      id,
      recorded_at: now,
      by: 'noc',
      late,
      corrected_ms: 0,
      uncertain: false,
      misfit: null,
    };
  };

  function addFact(entry, body) {
    if (!possible(entry.fault).includes(body.kind)) {
      const list = possible(entry.fault);
      return [
        409,
        {
          ...problem(
            409,
            'step_impossible',
            `a fault that is ${entry.fault.state} cannot be ${body.kind}`,
          )[1],
          possible: list,
        },
      ];
    }
    const fact = stored(body);
    entry.facts.push(fact);
    applyStep(entry.fault, fact, Date.now());
    tell(entry);
    return [200, render(entry)];
  }

  function answer(method, path, query, body) {
    if (path === '/board') return [200, board()];
    if (path === '/packs') return [200, { items: PACKS, next_cursor: null }];
    if (path === '/lines') {
      const q = (query.get('q') ?? '').toLowerCase();
      const items = world.lines.filter((l) => `${l.code} ${l.customer} ${l.site}`.toLowerCase().includes(q));
      return [200, { items: items.slice(0, Number(query.get('limit') ?? 50)), next_cursor: null }];
    }
    if (path === '/faults' && method === 'POST') return report(body);
    const [, id, facts] = /^\/faults\/([^/]+)(\/facts)?$/.exec(path) ?? [];
    const entry = world.faults.find((e) => e.fault.id === id);
    if (!entry) return problem(404, 'not_found', 'there is no such thing');
    if (facts) return addFact(entry, body);
    return [200, { ...render(entry), facts: entry.facts, deadlines: deadlines(entry.fault) }];
  }

  function stream(req, res) {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    res.write(`event: tick\ndata: ${JSON.stringify({ as_of: iso(Date.now()), engine })}\n\n`);
    viewers.add(res);
    req.on('close', () => viewers.delete(res));
  }

  function session(req, res, body) {
    const user = USERS[/mock=(\w+)/.exec(req.headers.cookie ?? '')?.[1]];
    if (req.method === 'GET') return user ? [200, user] : problem(401, 'signed_out', 'sign in first');
    if (req.method === 'DELETE') {
      res.setHeader('set-cookie', 'mock=; Max-Age=0; Path=/; HttpOnly');
      return [204, null];
    }
    const known = USERS[body.user];
    if (!known || body.password.length < 8) return problem(401, 'bad_credentials', 'wrong name or password');
    res.setHeader('set-cookie', `mock=${known.user}; Path=/; HttpOnly; SameSite=Strict`);
    return [200, known];
  }

  /** Answers what is below /api/v1; false for everything else. */
  function handle(req, res) {
    const url = new URL(req.url, 'http://mock');
    if (!url.pathname.startsWith('/api/v1')) return false;
    const path = url.pathname.slice('/api/v1'.length);
    void readBody(req).then((body) => {
      const signedIn = /mock=\w/.test(req.headers.cookie ?? '') || req.headers.authorization;
      if (path === '/session') return reply(res, session(req, res, body));
      if (!signedIn) return reply(res, problem(401, 'signed_out', 'sign in first'));
      if (path === '/events') return stream(req, res);
      return reply(res, answer(req.method, path, url.searchParams, body));
    });
    return true;
  }
  return { handle };
}

const problem = (status, code, detail) => [
  status,
  { type: 'about:blank', title: code, status, code, detail },
];

function reply(res, [status, data]) {
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  res.writeHead(status, { 'content-type': type }).end(data === null ? undefined : JSON.stringify(data));
}

async function readBody(req) {
  let text = '';
  for await (const part of req) {
    text += part;
    if (text.length > BODY_LIMIT) return {};
  }
  return text ? JSON.parse(text) : {};
}

// A real server with the whole sample desk on it, in one language.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, startServer } from '../../lib/server.mjs';
import { until } from '../../lib/wait.mjs';
import { startAgent } from './agent.mjs';
import { gradedAtOnce, hotlineCsv, maintained, tellCustomers } from './customers.mjs';
import { tellFaults } from './faults.mjs';
import { tellMatters } from './matters.mjs';
import { PEOPLE, tellShift } from './shift.mjs';
import { tables } from './tables.mjs';

const PACKS = new URL('../../../../shared/packs/', import.meta.url);
/** A line is unknown until its first probes are judged. */
const KNOWN_BOUND_MS = 60_000;
const AGENT = process.env.LINEWATCH_AGENT;

/** `language` is en or zh. The answer has the server, the agent, `ids` of what pages are opened for, and `stop()`. */
export async function startDesk(language) {
  const say = (zh, en) => (language === 'zh' ? zh : en);
  const dir = await mkdtemp(join(tmpdir(), 'linewatch-screens-'));
  const sink = await startSink();
  const ends = [() => rm(dir, { recursive: true, force: true }), () => sink.close()];
  const stop = async () => {
    for (const end of ends.toReversed()) await end();
  };
  try {
    const { customers, lines, sites, equipment } = tables(say);
    const config = await configOf(dir, sink.address().port);
    // New customers are admitted by a superior; those of the tables are known before that rule.
    const env = { LINEWATCH_DESK__ADMISSION: 'true' };
    const server = await startServer({ customers, lines, config, env });
    ends.push(() => server.stop());
    const api = (...args) => server.api(...args);
    for (const [name, role] of PEOPLE) await server.addUser(name, role);
    for (const table of [sites, equipment]) await server.import(table);
    await server.import(hotlineCsv(), 'calls', [
      ...['--day', 'day', '--offered', 'offered', '--answered', 'answered', '--within-20s', 'soon'],
    ]);
    const desk = { api, server, say, now: Date.now() };
    const ids = await tell(desk);
    const [port] = await freePorts(1);
    const agent = await startAgent({ program: AGENT, dir, port, server, say });
    ends.push(() => agent.stop());
    const known = async () => (await api('GET', '/lines/GX-0103')).state === 'up';
    await until(known, 'the agent to know its lines', KNOWN_BOUND_MS);
    return { server, agent, ids, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function tell(desk) {
  const { api, server } = desk;
  const faults = await tellFaults(desk);
  const matters = await tellMatters(desk);
  await tellShift(desk);
  await server.import(maintained);
  const { survey } = await tellCustomers(desk);
  const { items: sites } = await api('GET', '/sites?customer=P001');
  const site = sites.toSorted((a, b) => b.name.localeCompare(a.name)).find((one) => /1|一/.test(one.name)).id;
  const { items: pieces } = await api('GET', `/sites/${site}/equipment`);
  return { fault: faults['GX-0101'], ...matters, survey, site, piece: pieces[0].id };
}

/** Alerts go to a robot that takes them, and to telephones whose gateway refuses. */
async function configOf(dir, port) {
  const packs = join(dir, 'packs');
  await mkdir(packs);
  const shipped = await readFile(new URL('key-account.toml', PACKS), 'utf8');
  await writeFile(join(packs, 'key-account.toml'), gradedAtOnce(shipped));
  return `[packs]
dir = ${JSON.stringify(packs)}
[notify]
allow_private = true
[channels.duty-group]
kind = "wecom_robot"
url = "http://127.0.0.1:${port}/robot?key=sample"
[channels.duty-phones]
kind = "sms"
url = "http://127.0.0.1:${port}/sms"
numbers = ["+860000000000"]
body = '{"to": "{number}", "text": "{text}"}'
marks = ["missed"]
tiers = ["AAA"]
`;
}

/** Stands in for the services outside. */
async function startSink() {
  const sink = createServer((request, response) => {
    request.resume();
    const taken = request.url.startsWith('/robot');
    response.writeHead(taken ? 200 : 403, { 'content-type': 'application/json' });
    response.end(JSON.stringify(taken ? { errcode: 0 } : { error: 'refused' }));
  });
  await new Promise((resolve, reject) => sink.once('error', reject).listen(0, '127.0.0.1', resolve));
  return sink;
}

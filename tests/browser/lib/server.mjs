// A real server for a test: its own folder, its own ports, started and killed like in life.
//
// LINEWATCH_SERVER names the program (default: the debug build of this workspace). With
// LINEWATCH_MOCK=1 the page's development mock stands in, to work on the page without a server.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './wait.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const START_BOUND_MS = 30_000;
const COMMAND_BOUND_MS = 30_000;
const LOG_KEPT = 200;

export const USER = 'noc';
export const PASSWORD = 'sample-password-1';

const CUSTOMERS = `code,name,tier,pack,region,manager,manager_email,deputy,deputy_email,contact_name,contact_phone
C001,样例银行 Sample Bank,AAA,group-line,sample,manager-east,manager-east@example.invalid,,,duty desk,000-0000-0001
C002,样例学院 Sample College,A,group-line,sample,manager-west,manager-west@example.invalid,,,duty desk,000-0000-0002
`;
const LINES = `code,customer,site,service,tier,agent,probe,interval,upstream
GX-0001,C001,sample hall 1,internet,,sample-agent,icmp://127.0.0.1,1s,
GX-0002,C001,sample hall 2,internet,,sample-agent,icmp://127.0.0.2,1s,
GX-0003,C002,sample library,internet,,sample-agent,icmp://127.0.0.3,1s,
`;

/**
 * Starts a server with these customers and lines (CSV), more of its configuration (TOML), one NOC user and a token for the API. `env` is added to its
 * environment while it serves.
 */
export async function startServer({ customers = CUSTOMERS, lines = LINES, config = '', env = {} } = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'linewatch-browser-'));
  const program = process.env.LINEWATCH_MOCK ? new Mock(dir) : new Real(dir, { customers, lines }, config);
  const handle = new Handle(dir, program, env);
  try {
    await program.prepare();
    await handle.start();
  } catch (error) {
    await handle.stop();
    throw error;
  }
  return handle;
}

class Handle {
  #dir;
  #program;
  #env;
  #child = null;
  #log = [];

  constructor(dir, program, env) {
    this.#dir = dir;
    this.#program = program;
    this.#env = env;
  }

  get url() {
    return `http://127.0.0.1:${this.#program.port}`;
  }

  /** Where agents come in. */
  get syncPort() {
    return this.#program.syncPort;
  }

  /** For calls of the API. */
  get token() {
    return this.#program.token;
  }

  get pid() {
    return this.#child?.pid;
  }

  /** What the server said lately, for the message of a failed test. */
  get log() {
    return this.#log.join('');
  }

  async start() {
    // Most pages are looked at by somebody who sees the whole desk.
    const env = { LINEWATCH_AUTH__SCOPE: 'all', ...process.env, ...this.#env };
    const child = spawn(...this.#program.command(), { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => (this.#log = [...this.#log, String(text)].slice(-LOG_KEPT)));
    }
    let failure = null;
    child.on('error', (error) => (failure = error));
    child.on('exit', (code) => (failure ??= new Error(`exited with ${code}`)));
    const ready = async () => failure ?? ((await fetch(this.url + this.#program.readyPath)).ok || null);
    const answer = await until(ready, `the server to be ready\n${this.log}`, START_BOUND_MS);
    if (answer instanceof Error) throw new Error(`the server did not start: ${answer.message}\n${this.log}`);
  }

  /** As a power cut would. */
  async kill() {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async stop() {
    await this.kill();
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** Calls the API with the token, not through a page. */
  api(method, path, body) {
    return this.#call(this.#program.token, method, path, body);
  }

  /** The API as somebody else of the desk calls it. */
  async as(name) {
    const token = await this.#program.tokenOf(name);
    return (method, path, body) => this.#call(token, method, path, body);
  }

  /** Runs a command of the server on this table (CSV): `import`, or another one with its options. */
  async import(table, command = 'import', options = []) {
    const file = join(this.#dir, `${crypto.randomUUID()}.csv`);
    await writeFile(file, table);
    await this.#program.run([command, file, ...options]);
  }

  async #call(token, method, path, body) {
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
    if (body)
      Object.assign(headers, { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() });
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers,
      body: body && JSON.stringify(body),
    });
    const data = response.status === 204 ? null : await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(data)}`);
    return data;
  }

  /** Adds somebody who may sign in with [`PASSWORD`]. */
  async addUser(name, role) {
    await this.#program.addUser(name, role);
  }

  /** The codes of lines that may be reported. */
  async lines() {
    const page = await this.api('GET', '/lines?limit=3');
    return page.items.map((item) => item.code);
  }

  /** Reports a fault that was noticed so many minutes ago. */
  report(line, minutes = 0) {
    return this.api('POST', '/faults', {
      line,
      reported_at: ago(minutes),
      channel: 'hotline',
      reporter: 'duty desk',
      description: 'sample report',
    });
  }

  /** Takes a step that was done so many minutes ago. */
  step(fault, kind, minutes, fields = {}) {
    return this.api('POST', `/faults/${fault}/facts`, { kind, occurred_at: ago(minutes), ...fields });
  }
}

const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

class Real {
  readyPath = '/readyz';
  #dir;
  #program = process.env.LINEWATCH_SERVER ?? join(ROOT, 'target/debug/linewatch-server');
  #config;
  #tables;
  #more;

  constructor(dir, tables, more) {
    this.#dir = dir;
    this.#tables = tables;
    this.#more = more;
    this.#config = join(dir, 'server.toml');
  }

  async prepare() {
    if (!existsSync(this.#program))
      throw new Error(`no server at ${this.#program}: build it, or set LINEWATCH_SERVER`);
    [this.port, this.syncPort] = await freePorts(2);
    const config = `data_dir = ${JSON.stringify(join(this.#dir, 'data'))}
[http]
listen = "127.0.0.1:${this.port}"
[sync]
listen = "127.0.0.1:${this.syncPort}"
${this.#more}`;
    await writeFile(this.#config, config);
    for (const name of ['customers', 'lines']) {
      const file = join(this.#dir, `${name}.csv`);
      await writeFile(file, this.#tables[name]);
      await this.run(['import', file]);
    }
    await this.addUser(USER, 'noc');
    this.token = await this.tokenOf(USER);
  }

  command() {
    return [this.#program, ['--config', this.#config, 'serve']];
  }

  async tokenOf(name) {
    return (await this.run(['user', 'token', name])).trim();
  }

  async addUser(name, role) {
    await this.run(['user', 'add', name, '--role', role], `${PASSWORD}\n`);
  }

  async run(args, input = '') {
    const child = spawn(this.#program, ['--config', this.#config, ...args], {
      stdio: 'pipe',
      timeout: COMMAND_BOUND_MS,
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (text) => (out += text));
    child.stderr.on('data', (text) => (err += text));
    // Not every command reads it, and one may have ended by now: what its exit code says counts.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    if (code !== 0) throw new Error(`linewatch-server ${args.join(' ')}: exit ${code}\n${out}${err}`);
    return out;
  }
}

class Mock {
  readyPath = '/';
  token = 'mock';
  #dir;

  constructor(dir) {
    this.#dir = dir;
  }

  async prepare() {
    [this.port] = await freePorts(1);
  }

  command() {
    const script = join(ROOT, 'server/web/dev/serve.mjs');
    const state = join(this.#dir, 'state.json');
    return [process.execPath, [script, '--empty', '--port', String(this.port), '--state', state]];
  }
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server.address().port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

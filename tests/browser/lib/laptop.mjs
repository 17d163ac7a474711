// A real agent as on a technician's laptop: enrolled with a real server through a cable that can be pulled, and killed like a
// battery kills. LINEWATCH_AGENT names the program (default: the debug build of this workspace).

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './wait.mjs';

const PROGRAM =
  process.env.LINEWATCH_AGENT ??
  fileURLToPath(new URL('../../../target/debug/linewatch-agent', import.meta.url));
const COMMAND_BOUND_MS = 30_000;
const START_BOUND_MS = 30_000;
const LOG_KEPT = 200;

/** Enrols an agent of that name, on which these people may sign in, and which sees these customers. */
export async function startLaptop(server, { name = 'sample-laptop', people, customers }) {
  if (!existsSync(PROGRAM)) throw new Error(`no agent at ${PROGRAM}: build it, or set LINEWATCH_AGENT`);
  const head = await server.as('head');
  const { token } = await head('POST', `/agents/${name}/enrolment`);
  await head('PUT', `/agents/${name}/people`, { people });
  await head('PUT', `/agents/${name}/customers`, { customers });
  const cable = await Cable.to(server.syncPort);
  const laptop = new Laptop(await mkdtemp(join(tmpdir(), 'linewatch-laptop-')), cable);
  try {
    await laptop.prepare(token);
    await laptop.start();
  } catch (error) {
    await laptop.stop();
    throw error;
  }
  return laptop;
}

class Laptop {
  #dir;
  #child = null;
  #log = [];

  constructor(dir, cable) {
    this.#dir = dir;
    this.cable = cable;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get log() {
    return this.#log.join('');
  }

  async prepare(token) {
    this.port = await freePort();
    const config = `data_dir = ${JSON.stringify(join(this.#dir, 'data'))}\n[ui]\nlisten = "127.0.0.1:${this.port}"\n`;
    await writeFile(this.#config, config);
    await this.run('enroll', `https://127.0.0.1:${this.cable.port}`, '--token', token);
    await this.run('sync', '--quiet');
  }

  get #config() {
    return join(this.#dir, 'agent.toml');
  }

  async run(...args) {
    const options = { stdio: ['ignore', 'pipe', 'pipe'], timeout: COMMAND_BOUND_MS };
    const child = spawn(PROGRAM, ['--config', this.#config, ...args], options);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    if (code !== 0) throw new Error(`linewatch-agent ${args.join(' ')}: exit ${code}\n${said}`);
    return said;
  }

  async start() {
    const child = spawn(PROGRAM, ['--config', this.#config, 'run'], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => (this.#log = [...this.#log, String(text)].slice(-LOG_KEPT)));
    const ready = async () => {
      if (child.exitCode !== null) throw new Error(`the agent has ended: ${this.log}`);
      return (await fetch(`${this.url}/status`)).ok;
    };
    await until(ready, `the agent to be ready\n${this.log}`, START_BOUND_MS);
  }

  /** As an empty battery would. */
  async kill() {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async stop() {
    await this.kill();
    await this.cable.stop();
    await rm(this.#dir, { recursive: true, force: true });
    await rm(`${join(this.#dir, 'data')}.key`, { force: true });
  }
}

/** What goes between agent and server, as long as nobody pulls it. */
class Cable {
  #listener;
  #open = new Set();
  #pulled = false;
  connections = 0;

  static async to(port) {
    const cable = new Cable();
    cable.#listener = createServer((near) => cable.#join(near, port));
    await new Promise((resolve) => cable.#listener.listen(0, '127.0.0.1', resolve));
    cable.port = cable.#listener.address().port;
    return cable;
  }

  #join(near, port) {
    if (this.#pulled) return near.destroy();
    this.connections += 1;
    const far = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      this.#open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }

  pull() {
    this.#pulled = true;
    for (const socket of this.#open) socket.destroy();
  }

  plug() {
    this.#pulled = false;
  }

  async stop() {
    this.pull();
    await new Promise((resolve) => this.#listener.close(resolve));
  }
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

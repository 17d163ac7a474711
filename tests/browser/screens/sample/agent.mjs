// A real agent of the sample desk: it is let in, probes its lines on this machine, and brings reports of visits.

import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ago } from './time.mjs';

const COMMAND_BOUND_MS = 60_000;

/** Starts the agent that `program` names, in the folder `dir`; ends with `stop()`. */
export async function startAgent({ program, dir, port, server, say }) {
  const config = join(dir, 'agent.toml');
  await writeFile(
    config,
    `data_dir = ${JSON.stringify(join(dir, 'agent'))}\n[ui]\nlisten = "127.0.0.1:${port}"\n`,
  );
  const run = (...args) => finished(program, ['--config', config, ...args]);
  const head = await server.as('head');
  const { token } = await head('POST', '/agents/sample-agent/enrolment');
  await head('PUT', '/agents/sample-agent/people', { people: ['technician-1', 'manager-east'] });
  await run('enroll', `https://127.0.0.1:${server.syncPort}`, '--token', token);
  await run('sync', '--quiet');
  for (const [customer, site, minutes, met, findings, needs] of [
    [
      ...['C002', say('住院部', 'wing B'), 26 * 60, say('设备科负责人', 'head of equipment')],
      ...[say('收光 −18.4 dBm，标签齐全', 'received power −18.4 dBm, all labels in place'), ''],
    ],
    [
      ...['C003', say('调度室', 'dispatch room'), 50 * 60, say('调度长', 'head of dispatch')],
      ...[
        say('机柜积尘，已清洁', 'dust in the cabinet, cleaned'),
        say('希望增加备用线路', 'would like a spare line'),
      ],
    ],
  ])
    await run(
      ...['visit', 'new', '--customer', customer, '--site', site, '--at', ago(minutes), '--met', met],
      ...['--purpose', say('例行走访', 'regular visit'), '--findings', findings, '--needs', needs],
      ...['--class', 'b', '--left-clean', 'true', '--signed-by', met],
    );
  await run('sync', '--quiet');
  const child = spawn(program, ['--config', config, 'run'], { stdio: 'ignore' });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  return {
    /** Where the technician's page is. */
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

async function finished(program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: COMMAND_BOUND_MS });
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`linewatch-agent ${args.slice(2).join(' ')}: exit ${code}\n${said}`);
}

// Starts a server on sample data, reports sample faults of different ages to it over its API, and has
// tests/browser/screenshot.mjs take the picture. Usage: node screenshot.mjs OUT.png

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PROGRAM = process.env.LINEWATCH_SERVER;
const [out] = process.argv.slice(2);
const [USER, PASSWORD] = ["noc", "sample-password-1"];
const READY_BOUND_MS = 30_000;
const POLL_MS = 100;
const MINUTE_MS = 60_000;

/** The report and each step, with their ages in minutes. */
const FAULTS = [
  {
    line: "GX-0002",
    age: 103,
    steps: [
      ["acknowledged", 101],
      ["dispatched", 96],
      ["feedback", 75],
      ["feedback", 46],
      ["feedback", 17],
    ],
  },
  {
    line: "GX-0001",
    age: 47,
    steps: [
      ["acknowledged", 46],
      ["dispatched", 40],
      ["feedback", 19],
    ],
  },
  { line: "GX-0003", age: 6, steps: [] },
  {
    line: "GX-0004",
    age: 262,
    steps: [
      ["acknowledged", 260],
      ["dispatched", 250],
      ["feedback", 205],
      ["feedback", 146],
      ["feedback", 88],
      ["feedback", 31],
    ],
  },
  {
    line: "GX-0005",
    age: 300,
    steps: [
      ["acknowledged", 297],
      ["dispatched", 290],
      ["feedback", 242],
      ["feedback", 184],
      ["restored", 150],
      ["feedback", 148],
    ],
  },
  {
    line: "GX-0006",
    age: 130,
    steps: [
      ["acknowledged", 128],
      ["feedback", 72],
      ["feedback", 14],
    ],
  },
  {
    line: "GX-0007",
    age: 200,
    steps: [
      ["acknowledged", 190],
      ["dispatched", 185],
      ["feedback", 145],
      ["restored", 100],
      ["feedback", 95],
      ["repaired", 60],
    ],
  },
  { line: "GX-0008", age: 58, steps: [["acknowledged", 50]] },
];

const dir = await mkdtemp(join(tmpdir(), "linewatch-picture-"));
let server;
try {
  const port = await freePort();
  const config = join(dir, "server.toml");
  const settings = {
    "": `data_dir = ${JSON.stringify(join(dir, "data"))}`,
    http: listen(port),
    sync: listen(await freePort()),
  };
  const sections = Object.entries(settings).map(([name, text]) =>
    name ? `[${name}]\n${text}\n` : `${text}\n`,
  );
  await writeFile(config, sections.join(""));
  const command = (...args) => [PROGRAM, ["--config", config, ...args]];
  for (const kind of ["customers", "lines"])
    await run(command("import", join(ROOT, `deploy/sample/${kind}.csv`)));
  await run(command("user", "add", USER, "--role", "noc"), `${PASSWORD}\n`);
  const token = (await run(command("user", "token", USER))).trim();

  server = spawn(...command("serve"), {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, LINEWATCH_LOG__LEVEL: "warn" },
  });
  const url = `http://127.0.0.1:${port}`;
  await ready(`${url}/readyz`);
  for (const fault of FAULTS) await play(url, token, fault);
  const picture = join(ROOT, "tests/browser/screenshot.mjs");
  await run([process.execPath, [picture, url, USER, PASSWORD, out]]);
  process.stdout.write(`${out}: ${FAULTS.length} sample faults\n`);
} finally {
  if (server && server.exitCode === null) {
    const gone = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGTERM");
    await gone;
  }
  await rm(dir, { recursive: true, force: true });
}

async function play(url, token, { line, age, steps }) {
  const now = Date.now();
  const ago = (minutes) => new Date(now - minutes * MINUTE_MS).toISOString();
  const call = async (path, body) => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "idempotency-key": crypto.randomUUID(),
      },
      body: JSON.stringify(body),
    });
    const data = await answer.json();
    if (!answer.ok)
      throw new Error(
        `${path} ${JSON.stringify(body)}: ${answer.status} ${JSON.stringify(data)}`,
      );
    return data;
  };
  const report = {
    line,
    reported_at: ago(age),
    channel: "hotline",
    reporter: "duty desk",
    description: "sample report",
  };
  const { id } = await call("/faults", report);
  for (const [kind, minutes] of steps) {
    await call(`/faults/${id}/facts`, {
      kind,
      occurred_at: ago(minutes),
      ...(kind === "feedback" && { reached: true }),
    });
  }
}

function listen(port) {
  return `listen = "127.0.0.1:${port}"`;
}

async function ready(url) {
  const end = Date.now() + READY_BOUND_MS;
  for (;;) {
    const ok = await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ok) return;
    if (server.exitCode !== null)
      throw new Error(`the server ended with ${server.exitCode}`);
    if (Date.now() > end) throw new Error("the server does not get ready");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function run([program, args], input = "") {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (part) => (text += part));
  child.stdin.end(input);
  const code = await new Promise((resolve, reject) =>
    child.once("error", reject).once("close", resolve),
  );
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: exit ${code}`);
  return text;
}

function freePort() {
  const probe = createServer();
  return new Promise((resolve, reject) => {
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

// Serves the built page with the server's content security policy, and the API from the mock:
//   node dev/serve.mjs [--port 8090] [--empty] [--state FILE]
// The state file lets a killed mock come back with the faults it had.

import { createReadStream, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createMock } from './mock.mjs';
import { emptyBoard, sampleBoard } from './sample.mjs';

const DIST = join(fileURLToPath(new URL('.', import.meta.url)), '..', 'dist');
const CSP =
  "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'";
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

const { values: args } = parseArgs({
  options: { port: { type: 'string' }, empty: { type: 'boolean' }, state: { type: 'string' } },
});

const fresh = () => (args.empty ? emptyBoard(Date.now()) : sampleBoard(Date.now()));
const world = args.state && existsSync(args.state) ? JSON.parse(readFileSync(args.state, 'utf8')) : fresh();
const save = () => args.state && writeFileSync(args.state, JSON.stringify(world));
const mock = createMock(world, save);

const server = createServer((req, res) => {
  if (mock.handle(req, res)) return;
  const path = normalize(new URL(req.url, 'http://x').pathname);
  const file = join(DIST, path === '/' ? 'index.html' : path);
  const found = file.startsWith(DIST) && existsSync(file) && statSync(file).isFile() ? file : null;
  if (!found) return void res.writeHead(404).end();
  res.writeHead(200, { 'content-type': TYPES[extname(found)], 'content-security-policy': CSP });
  createReadStream(found).pipe(res);
});
server.listen(Number(args.port ?? 0), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

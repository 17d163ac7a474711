// The built field page behind the mock of the agent's API, on loopback.

import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFieldMock } from './mock.mjs';

const BUILT = fileURLToPath(new URL('../../../../agent/page', import.meta.url));
/** As the agent's, word for word. */
const CSP =
  "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'none'";
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** Its address, its mock, and how to stop it. */
export async function startField(port = 0) {
  const mock = createFieldMock();
  const server = createServer((req, res) => {
    if (mock.handle(req, res)) return;
    const path = normalize(new URL(req.url, 'http://x').pathname);
    const file = join(BUILT, path === '/' ? 'index.html' : path);
    const found = file.startsWith(BUILT) && existsSync(file) && statSync(file).isFile() ? file : null;
    if (!found) return void res.writeHead(404).end();
    res.writeHead(200, { 'content-type': TYPES[extname(found)], 'content-security-policy': CSP });
    createReadStream(found).pipe(res);
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${server.address().port}`, mock, stop };
}

// Serves the built field page with the agent's content security policy, and its API from the mock:
//   node dev/field/serve.mjs [--port 8091]

import { parseArgs } from 'node:util';
import { startField } from './server.mjs';

const { values: args } = parseArgs({ options: { port: { type: 'string' } } });
const { url } = await startField(Number(args.port ?? 0));
console.log(`listening on ${url}`);

// Answers the API from the mock while `npm run dev` runs. Never part of the build.

import { createMock } from './mock.mjs';
import { sampleBoard } from './sample.mjs';

export function mockApi() {
  return {
    name: 'linewatch-mock',
    apply: 'serve',
    configureServer(server) {
      if (process.env.VITEST) return;
      const mock = createMock(sampleBoard(Date.now()));
      server.middlewares.use((req, res, next) => {
        if (!mock.handle(req, res)) next();
      });
    },
  };
}

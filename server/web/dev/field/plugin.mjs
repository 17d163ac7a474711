// Answers the agent's local API from the mock while `npm run dev:field` runs. Never part of the build.

import { createFieldMock } from './mock.mjs';

export function fieldMock() {
  return {
    name: 'linewatch-field-mock',
    apply: 'serve',
    configureServer(server) {
      const mock = createFieldMock();
      server.middlewares.use((req, res, next) => {
        if (!mock.handle(req, res)) next();
      });
    },
  };
}

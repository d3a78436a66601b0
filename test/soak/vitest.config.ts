/** The campaigns, with both kinds of files that they are in. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'test/**/*.soak.ts'],
    maxWorkers: '100%',
    testTimeout: 600_000,
    disableConsoleIntercept: true,
  },
});

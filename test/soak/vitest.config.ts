/** The campaigns, with both kinds of files that they are in. */
import { mergeConfig } from 'vitest/config';
import { EFFORT } from '../support/effort.ts';
import tests from '../vitest.config.ts';

export default mergeConfig(tests, {
  test: {
    include: ['test/**/*.soak.ts'],
    isolate: true,
    testTimeout: process.env[EFFORT] === 'full' ? 6 * 3_600_000 : 1_800_000,
    disableConsoleIntercept: true,
  },
});

/** The campaigns, with both kinds of files that they are in. */
import { mergeConfig } from 'vitest/config';
import tests from '../vitest.config.ts';

export default mergeConfig(tests, {
  test: {
    include: ['test/**/*.soak.ts'],
    testTimeout: 600_000,
    disableConsoleIntercept: true,
  },
});

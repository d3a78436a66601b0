/** What `npm test` runs; the campaigns (`soak/vitest.config.ts`) add to it. */
import { defineConfig } from 'vitest/config';
import { SEED, seedOf } from './support/seed.ts';

/** Nothing makes code from strings at run time: every test, and every program in one, is refused it. */
const NO_CODE = '--disallow-code-generation-from-strings';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'examples/*.test.ts'],
    maxWorkers: '100%',
    // Files share their workers: what a test mocks is undone after it.
    isolate: false,
    restoreMocks: true,
    unstubEnvs: true,
    // Only what hangs is ended: a busy machine fails no test.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    globalSetup: ['test/support/bundled-program.ts'],
    setupFiles: ['test/support/seeded.ts'],
    execArgv: [NO_CODE],
    env: { [SEED]: seedOf(process.env), NODE_OPTIONS: NO_CODE },
  },
});

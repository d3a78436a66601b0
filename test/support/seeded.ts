/** Before each file: the environment is that of the run, and fast-check begins with its seed. */
import fc from 'fast-check';
import { vi } from 'vitest';
import { SEED } from './seed.ts';

// The last test of the file before, in the same worker, may have changed it.
vi.unstubAllEnvs();
fc.configureGlobal({ seed: Number(process.env[SEED]) });

/** Has fast-check begin with the seed of the run, in every test that does not set its own. */
import fc from 'fast-check';
import { SEED } from './seed.ts';

fc.configureGlobal({ seed: Number(process.env[SEED]) });

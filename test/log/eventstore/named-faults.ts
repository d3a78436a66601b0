/**
 * The faults that an append can meet, by what happens.
 *
 * @module
 */
import type { AppendFault } from './faults.ts';

/** How long a client waits for an answer in the tests of faults, in ms. */
export const DEADLINE = 2000;

export const named: Readonly<Record<string, AppendFault>> = {
  'nothing is written or answered': { written: 'no', end: 'none' },
  'the answer is lost': { written: 'yes', end: 'none' },
  'the append is made after the client has given up': {
    written: 'late',
    end: 'none',
    lateMs: 1.3 * DEADLINE,
  },
  'the answer comes after the client has given up': {
    written: 'yes',
    end: 'given',
    afterMs: 1.5 * DEADLINE,
  },
  'the answer comes twice': { written: 'yes', end: 'twice' },
  'the call ends well without an answer': { written: 'yes', end: 'ok' },
  'the call ends well and nothing was written': { written: 'no', end: 'ok' },
  'the call fails after the append was made': { written: 'yes', end: 'error', status: 14 },
  'the call fails before the append was made': { written: 'no', end: 'error', status: 13 },
  'the server gives up, and makes the append later': {
    written: 'late',
    end: 'error',
    status: 10,
    lateMs: DEADLINE / 4,
  },
  'the call ends without a status': { written: 'yes', end: 'reset' },
  'the connection is cut in the middle of the append': { written: 'no', end: 'cut' },
  'the connection is cut after the append was made': { written: 'yes', end: 'cut' },
};

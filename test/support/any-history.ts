/**
 * Logs of any kind: seen whole or not, from traces or from messages.
 *
 * @module
 */
import fc from 'fast-check';
import { evidence, likely } from './random-evidence.ts';
import { anyLog, type Log } from './random-logs.ts';
import { endlessHost, unseenCalls, unseenHost } from './unseen-hosts.ts';

export const anyHistory: fc.Arbitrary<Log> = fc.oneof(
  anyLog,
  unseenHost,
  unseenCalls,
  endlessHost,
  evidence as fc.Arbitrary<Log>,
  likely as fc.Arbitrary<Log>,
);

/** Events of a segment of the time index. */
export const segmentLengths = fc.constantFrom(1, 3, 7, 64, 100_000);

/**
 * Checks of the fields `argsz` and `flags` of an ioctl's structure.
 *
 * @module
 */
import type { PlainCheck, Question } from '../check.ts';
import { isSince } from '../profile.ts';

interface StructHeader {
  readonly argsz?: number | undefined;
  readonly flags?: number | undefined;
}
export const shape = ({ call }: Question): StructHeader => call as StructHeader;

/** `argsz` is at least `least` bytes; if it is absent, `least` is assumed. */
export const longEnough = (least: number, source: string): PlainCheck => ({
  name: 'argument-long-enough',
  asks: 'call',
  holds: (question) => (shape(question).argsz ?? least) >= least,
  errno: 'EINVAL',
  cause: 'malformed-argument',
  source,
});

/** Only known flags are set: bit 0 since linux-7.3 (tokens and PASIDs), none before. */
export const flagsKnown = (source: string): PlainCheck => ({
  name: 'flags-known',
  asks: 'call',
  since: 'linux-6.12',
  holds: (question) => {
    const known = isSince(question.host.profile, 'linux-7.3') ? 1 : 0;
    return ((shape(question).flags ?? 0) & ~known) === 0;
  },
  errno: 'EINVAL',
  cause: 'malformed-argument',
  source,
});

/** Whether the flag of a token or a PASID is set. */
export const hasFlag = (question: Question): boolean => ((shape(question).flags ?? 0) & 1) !== 0;

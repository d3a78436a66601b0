/**
 * Checks of a structure's `argsz` and `flags`.
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

/** The structure is as long as the kernel wants it (`least`, or `default` where not said). */
export const longEnough = (least: number, source: string): PlainCheck => ({
  name: 'argument-long-enough',
  asks: 'call',
  holds: (question) => (shape(question).argsz ?? least) >= least,
  errno: 'EINVAL',
  cause: 'malformed-argument',
  source,
});

/** No flag but those that are known: one since tokens and PASIDs, none before. */
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

export const hasFlag = (question: Question): boolean => ((shape(question).flags ?? 0) & 1) !== 0;

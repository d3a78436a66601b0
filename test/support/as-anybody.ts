/**
 * Commands as somebody runs them whom the kernel keeps out of files: root without the capabilities by
 * which it may read everything.
 *
 * @module
 */
const RIGHTS = '-dac_override,-dac_read_search';

/** A command line to be run so: as it is where we are not root. */
export function asAnybody(
  command: string,
  args: readonly string[],
): readonly [command: string, args: readonly string[]] {
  if (process.getuid?.() !== 0) return [command, args];
  return ['setpriv', [`--bounding-set=${RIGHTS}`, '--', command, ...args]];
}

/**
 * How long something lasted.
 *
 * @module
 */

/** Seconds of each unit, the longest first. */
const units = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/**
 * The time between two instants of a log: `250 µs`, `81.2 ms`, `12.3 s`, `4 min 12 s`, `2 d 4 h`.
 * Null if one of them is not known. It is negative if the clock was set back in between.
 */
export function durationWords(from: string | null, to: string | null): string | null {
  if (from === null || to === null) return null;
  const [start, end] = [partsOf(from), partsOf(to)];
  const micros = (end.seconds - start.seconds) * 1e6 + end.micros - start.micros;
  return micros < 0 ? `-${lengthWords(-micros)}` : lengthWords(micros);
}

function lengthWords(micros: number): string {
  if (micros < 1e3) return `${micros} µs`;
  if (micros < 1e6) return `${rounded(micros) / 1e3} ms`;
  if (micros < 60e6) return `${rounded(micros) / 1e6} s`;
  const seconds = Math.floor(micros / 1e6);
  const at = units.findIndex(([, length]) => length <= seconds);
  const [unit, length] = units[at] ?? units[0];
  const [next, nextLength] = units[at + 1] ?? units[0];
  const rest = Math.floor((seconds % length) / nextLength);
  const whole = `${Math.floor(seconds / length)} ${unit}`;
  return rest === 0 ? whole : `${whole} ${rest} ${next}`;
}

/** The first three digits, and zeros: a duration is not said to be longer than it was. */
function rounded(micros: number): number {
  const unit = 10 ** Math.max(0, String(micros).length - 3);
  return Math.floor(micros / unit) * unit;
}

function partsOf(instant: string) {
  const seconds = Date.parse(`${instant.slice(0, 19)}Z`) / 1000;
  return { seconds, micros: Number(instant.slice(20, 26)) };
}

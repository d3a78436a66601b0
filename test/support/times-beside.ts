/**
 * The times beside the positions of an answer, by looking at its keys.
 *
 * @module
 */

/** The keys of positions, each with that of its time. */
export const timeKeys: Readonly<Record<string, string>> = {
  position: 'time',
  from: 'fromTime',
  to: 'toTime',
  since: 'sinceTime',
  wouldPassAfter: 'wouldPassAfterTime',
};

/** A copy of an answer in which each position has the time that the log gives it. */
export function withTimes(
  value: unknown,
  log: readonly { readonly position: number; readonly time?: string | null }[],
): unknown {
  const times = new Map(log.map(({ position, time = null }) => [position, time]));
  const copy = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(copy);
    if (typeof part !== 'object' || part === null) return part;
    const found: Record<string, unknown> = {};
    for (const [key, child] of Object.entries(part)) {
      found[key] = copy(child);
      const time = timeKeys[key];
      if (time !== undefined) found[time] = times.get(child as number) ?? null;
    }
    return found;
  };
  return copy(value);
}

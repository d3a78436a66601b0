/**
 * The CPU time of this process, in seconds: it does not count what other programs take meanwhile.
 *
 * @module
 */

export function cpuSeconds(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  return secondsSince(before);
}

/** As `cpuSeconds`, for work that is done when its promise resolves. */
export async function cpuSecondsOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  return secondsSince(before);
}

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000_000;
}

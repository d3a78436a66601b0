import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LiveHost } from '../../machines/live-host.ts';
import { anyLog, busyHost, type Log } from '../support/random-logs.ts';

/** Whether the group has a file, by looking at every file of the host. */
function hasFile(host: LiveHost, id: string): boolean {
  const kernel = LiveHost.machinesOf(host);
  const group = kernel.group(id)!;
  return [...kernel.files()].some(
    (file) =>
      (file.kind === 'group' && file.group === group) ||
      (file.kind === 'device' && file.device.group === group),
  );
}

/** Compares after every event, now and then of a restored host as well. */
function compare(log: Log): { readonly open: number; readonly none: number } {
  const seen = { open: 0, none: 0 };
  const live = new LiveHost();
  for (const event of log) {
    live.take(event);
    const hosts = event.position % 100 === 0 ? [live, live.copy()] : [live];
    for (const host of hosts) {
      for (const { group } of host.groups()) {
        const kernel = LiveHost.machinesOf(host);
        const isOpen = hasFile(host, group);
        expect(kernel.openFiles.hasAnyOf(kernel.group(group)!)).toBe(isOpen);
        seen[isOpen ? 'open' : 'none']++;
      }
    }
  }
  return seen;
}

test('the groups that have open files are those that the files name', () => {
  const { open, none } = compare(busyHost(3000, 11));
  expect(Math.min(open, none)).toBeGreaterThan(1000);
  fc.assert(
    fc.property(anyLog, (log) => void compare(log)),
    { numRuns: 30 },
  );
});

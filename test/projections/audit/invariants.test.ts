import { describe, expect, test } from 'vitest';
import type { Fact, LedgerEvent } from '../../../events/vocabulary.ts';
import { openLedger, type Ledger } from '../../../ledger.ts';
import { LiveHost } from '../../../machines/live-host.ts';
import { ClaimedHost } from '../../../projections/audit/claimed-host.ts';
import {
  invariants,
  invariantNames,
  type InvariantName,
} from '../../../projections/audit/invariants.ts';

const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [
    { name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' },
    { name: 'audio', bdf: '0000:3b:00.1', group: 26, driver: 'vfio-pci', cdev: 'vfio1' },
    { name: 'usb', bdf: '0000:3b:00.2', group: 26, driver: null },
  ],
};

/** A log that a scenario begins, and in which what then was seen is taken at its word. */
async function seen(scenario: string, ...facts: readonly Fact[]): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.simulate(scenario, { topology, profile: 'linux-7.3' });
  const events = facts.map((fact, index): LedgerEvent => ({
    ...fact,
    id: `x${index}`,
    time: null,
  }));
  await ledger.append(ledger.head.position, events);
  await ledger.refresh();
  return ledger;
}

const bound = 'open_iommufd I\nopen_cdev A gpu\nbind A I\n';
const inContainer = 'open_container C\nopen_group G gpu\nset_container G C\n';

/** Evidence that violates each invariant which evidence can violate; the last event is the first bad one. */
const cases: [InvariantName, string, Fact, cause: string | null, detail: string][] = [
  [
    'one-context-per-group',
    `${bound}@P2 open_iommufd J\n@P2 open_cdev B audio\n`,
    { type: 'device.bound', data: { pid: 102, fd: 4, iommufd: 3, id: 1 } },
    'owned-by-other-iommufd',
    'group 26 is claimed by f5 and f9',
  ],
  [
    'no-user-owner-beside-kernel-driver',
    bound,
    { type: 'driver.bound', data: { device: '0000:3b:00.2', driver: 'xhci_hcd', cdev: null } },
    null,
    'group 26 is claimed by f5 while xhci_hcd does DMA in it',
  ],
  [
    'no-group-file-beside-bound-cdev',
    bound,
    { type: 'group.opened', data: { pid: 101, fd: 5, group: '26', cloexec: false } },
    'cdev-bound-in-group',
    'group 26 is open as f8 while f6 is bound',
  ],
  [
    'one-open-file-per-group',
    inContainer,
    { type: 'group.opened', data: { pid: 101, fd: 5, group: '26', cloexec: false } },
    'group-already-open',
    'group 26 is open as f6, f8',
  ],
  [
    'one-bound-file-per-device',
    `${bound}open_cdev B gpu\n`,
    { type: 'device.bound', data: { pid: 101, fd: 5, iommufd: 3, id: 2 } },
    'device-open-elsewhere',
    'device 0000:3b:00.0 is open through f6, f8',
  ],
];

describe('evidence that cannot be so', () => {
  test.each(cases)('violates %s', async (invariant, scenario, fact, cause, detail) => {
    const ledger = await seen(scenario, fact);
    const { position } = ledger.head;
    expect(ledger.bisect({ invariant })).toMatchObject({
      invariant,
      position,
      event: { position, ...fact },
      cause,
      detail,
    });
    const { faults } = ledger.verify();
    expect(faults.filter(({ kind }) => kind === 'invariant')).toContainEqual(
      expect.objectContaining({ position, detail: `${invariant}: ${detail}` }),
    );
  });

  test.each(cases)('and shows %s with the fewest events', async (invariant, scenario, fact) => {
    const noise = '@P3 open_iommufd K\n@P3 fork P4\n@P3 close K\n';
    const ledger = await seen(`${noise}${scenario}@P4 dup L K\n`, ...shifted(fact));
    const found = ledger.bisect({ invariant });
    const positions = found?.prefix ?? [];
    expect(positions.at(-1)).toBe(ledger.head.position);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    const shows = (some: readonly number[]): boolean => {
      const [claims, host] = [new ClaimedHost(), new LiveHost()];
      for (const at of some) {
        const event = ledger.event(at);
        if (event === undefined) return false;
        host.take(event);
        claims.take(event, host.touched);
      }
      return invariants[invariant].violation({ group: '26', claims, host }) !== null;
    };
    expect(shows(positions)).toBe(true);
    for (const left of positions) expect(shows(positions.filter((at) => at !== left))).toBe(false);
  });

  /** Pids follow those of the noise. */
  function shifted(fact: Fact): Fact[] {
    const { data } = fact;
    if (!('pid' in data)) return [fact];
    return [{ ...fact, data: { ...data, pid: Number(data.pid) + 2 } } as Fact];
  }
});

describe('a projection that has missed something', () => {
  /** Violations where the machines have not taken the last events. */
  async function missing(scenario: string, count: number): Promise<InvariantName[]> {
    const { events } = await seen(scenario);
    const [claims, host] = [new ClaimedHost(), new LiveHost()];
    const nobody = { evicted: new Set<string>(), unbound: new Set<string>() };
    for (const event of events) claims.take(event, nobody);
    for (const event of events.slice(0, events.length - count)) host.take(event);
    return invariantNames.filter(
      (name) => invariants[name].violation({ group: '26', claims, host }) !== null,
    );
  }

  test('names an owner that is gone', async () => {
    expect(await missing(`${bound}close A\nclose I\n`, 2)).toEqual([
      'release-ends-ownership',
      'owner-is-claimed',
    ]);
  });

  test('does not name one that has come', async () => {
    expect(await missing(bound, 1)).toEqual(['owner-is-claimed']);
  });

  test('takes a group for closed whose device is open', async () => {
    const opened = `${inContainer}set_iommu C\nget_device D G gpu\n`;
    expect(await missing(opened, 4)).toContain('container-device-keeps-group-open');
  });
});

test('where all is as the rules have it nothing is violated, and an unheard-of name is one', async () => {
  const ledger = await seen(`${bound}close A\n${inContainer}`);
  for (const invariant of invariantNames) expect(ledger.bisect({ invariant })).toBeNull();
  expect(() => ledger.bisect({ invariant: 'peace' })).toThrow(
    "no invariant 'peace'; known are one-context-per-group, ",
  );
});

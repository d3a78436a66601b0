import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callEvents, type Fact } from '../../../events/vocabulary.ts';
import { LiveHost } from '../../../machines/live-host.ts';
import { operationNames, rowOf } from '../../../operations/table.ts';
import { effectOf } from '../../../processes/effects.ts';
import { ClaimedFiles } from '../../../projections/audit/claimed-files.ts';
import { ClaimedHost } from '../../../projections/audit/claimed-host.ts';
import { boot, placed } from '../../support/any-evidence.ts';
import { brokenLog } from '../../support/broken-logs.ts';
import { countOf, isCampaign } from '../../support/effort.ts';
import type { Log } from '../../support/random-logs.ts';
import { SweptClaims } from '../../support/swept-claims.ts';
import { endlessHost, unseenHost } from '../../support/unseen-hosts.ts';
import { UntoldClaims } from '../../support/untold-claims.ts';

describe('who is gone, as the machines say', () => {
  const count = countOf('claims', { test: 100, soak: 5000, full: 12_000 });
  const hosts: [string, fc.Arbitrary<Log>, seldom: number][] = [
    ['of any host whose boot nobody saw', unseenHost, 0.005],
    ['of one whose ends were missed', endlessHost, 0.02],
  ];

  test.each(hosts)('%s, is who the claims find gone', (_, host, seldom) => {
    let evicted = 0;
    fc.assert(
      fc.property(host, (events) => void (evicted += compared(events))),
      { numRuns: count, ...(!isCampaign && { seed: 20 }) },
    );
    expect(evicted).toBeGreaterThan(count * seldom);
  });

  /**
   * Compares claims that are told with those that are not after every event at which they can be:
   * the machines take no event that contradicts them, and the claims take every one, so that they
   * stand apart from the first contradiction that is no eviction until the next boot. They also do
   * while the machines know more, or less, than is claimed. Gives how many were evicted meanwhile.
   */
  function compared(events: Log): number {
    const [host, told, untold] = [new LiveHost(), new ClaimedHost(), new UntoldClaims()];
    let isApart = false;
    let evicted = 0;
    for (const event of events) {
      if (event.type === 'host.booted') isApart = false;
      isApart ||= !isAsClaimed(host, told);
      const before = host.contradictions.length;
      host.take(event);
      told.take(event, host.touched);
      untold.take(event);
      const { evicted: files, unbound } = host.touched;
      const others = host.contradictions.length - before - files.size - unbound.size;
      isApart ||= others !== 0;
      if (isApart) continue;
      evicted += files.size + unbound.size;
      expect(inShort(told)).toBe(inShort(untold.claims));
    }
    return evicted;
  }

  /** Whether devices have the drivers, and files the contexts, that the claims have them with. */
  function isAsClaimed(host: LiveHost, claims: ClaimedHost): boolean {
    for (const { device, driver } of host.devices()) {
      // A driver that waits for a file that nobody has seen is told of to nobody but the claims.
      if (claims.devices.get(device)?.driver !== driver) return false;
    }
    for (const file of host.files()) {
      // An iommufd that is not shown is an owner without a name, and claims nothing.
      const isBound = file.kind === 'device' && (file.isGranted || file.context !== null);
      if (isBound && claims.files.get(file.id)?.context == null) return false;
    }
    return true;
  }

  function inShort({ files, devices, processes }: ClaimedHost): string {
    const held = [...files.keys()].map((id) => processes.holders(id));
    return JSON.stringify([[...files], [...devices], held], (_key, value: unknown) =>
      value instanceof Set ? [...value] : value,
    );
  }
});

test('a group that has other owners, or other kernel drivers, has been touched', () => {
  let changed = 0;
  fc.assert(
    fc.property(fc.oneof(unseenHost, endlessHost), (events) => {
      const [host, claims] = [new LiveHost(), new ClaimedHost()];
      let before = new Map<string, string>();
      for (const event of events) {
        host.take(event);
        claims.take(event, host.touched);
        const after = new Map<string, string>();
        for (const group of new Set([...before.keys(), ...claims.groups()])) {
          const owners = [...claims.ownersOf(group), ...claims.kernelDriversIn(group)].join();
          after.set(group, owners);
          if (owners === (before.get(group) ?? '')) continue;
          expect(claims.touched).toContain(group);
          changed++;
        }
        before = after;
      }
    }),
    { numRuns: countOf('claims touched', { test: 40, soak: 200 }) },
  );
  expect(changed).toBeGreaterThan(40);
});

test('a device that is added to another group touches the one that it was in', () => {
  const added = (group: string): Fact => ({
    type: 'device.added',
    data: {
      device: '0000:3b:00.2',
      name: null,
      group,
      driver: 'xhci_hcd',
      model: null,
      cdev: null,
    },
  });
  const [claims, { touched: nobody }] = [new ClaimedHost(), new LiveHost()];
  for (const event of placed([boot, added('26'), added('41')])) claims.take(event, nobody);
  expect([...claims.touched].toSorted()).toEqual(['26', '41']);
  expect(claims.kernelDriversIn('26')).toEqual([]);
});

test('claims with indexes say of every group what claims that go through everything say', () => {
  fc.assert(
    fc.property(brokenLog, (events) => {
      const [host, claims, swept] = [new LiveHost(), new ClaimedHost(), new SweptClaims()];
      for (const event of events) {
        host.take(event);
        claims.take(event, host.touched);
        swept.take(event, host.touched);
        expect([...claims.groups()]).toEqual([...swept.groups()]);
        expect([...claims.files]).toEqual([...swept.files]);
        for (const group of claims.groups()) {
          expect(claims.filesOf(group)).toEqual(swept.filesOf(group));
          expect(claims.kernelDriversIn(group)).toEqual(swept.kernelDriversIn(group));
        }
      }
    }),
    { numRuns: countOf('claims swept', { test: 15, soak: 120 }) },
  );
});

test('a device that moves to another group keeps its place among the devices', () => {
  const added = (device: string, group: string, driver: string): Fact => {
    const unnamed = { name: null, model: null, cdev: null };
    return { type: 'device.added', data: { device, group, driver, ...unnamed } };
  };
  const usb = added('0000:3b:00.2', '41', 'xhci_hcd');
  const facts = [
    boot,
    usb,
    added('0000:3b:00.0', '26', 'nvidia'),
    added('0000:3b:00.2', '26', 'xhci_hcd'),
  ];
  const { touched } = new LiveHost();
  for (const claims of [new ClaimedHost(), new SweptClaims()]) {
    for (const event of placed(facts)) claims.take(event, touched);
    expect(claims.kernelDriversIn('26')).toEqual(['xhci_hcd', 'nvidia']);
  }
});

test('files that nothing keeps are released, those opened first first, and then what they kept', () => {
  const files = new ClaimedFiles();
  const free = { group: '1', device: null, context: null, isGranted: false };
  const open = { kind: 'device', isIommufd: false, isDead: false, ...free } as const;
  const add = (id: string, keeps: readonly string[] = []): void =>
    files.add({ ...open, id, keeps: new Set(keeps) });
  add('f2');
  add('f3', ['f2']);
  add('f10', ['f2']);
  add('f11');
  for (const id of ['f10', 'f2', 'f3', 'f11']) files.loosen(id);
  const released = files.release((id) => id === 'f11');
  expect(released.map(({ id }) => id)).toEqual(['f3', 'f10', 'f2']);
  expect([...files.all.keys()]).toEqual(['f11']);
  files.loosen('f11');
  expect(files.release(() => false)).toHaveLength(1);
  expect(files.hasGroup('1')).toBe(false);
});

test('of calls those are heard that open a file of ours, or have to do with its context', () => {
  for (const { context, records } of operationNames.map(rowOf)) {
    for (const { type } of records) {
      const { opens } = effectOf(type);
      const isOurs = opens !== null && opens !== 'path';
      if (!callEvents.some((call) => call === type)) continue;
      expect(ClaimedHost.hears(type), type).toBe(
        isOurs || context === 'given' || context === 'taken',
      );
    }
  }
});

import { expect, test } from 'vitest';
import { hostHistory } from '../../bench/host.ts';
import { placed, roundsOf, wideHost } from '../../bench/wide-host.ts';
import type { LedgerEvent } from '../../events/vocabulary.ts';
import { entryOf } from '../../log/row.ts';
import { Kernel } from '../../machines/kernel.ts';
import { LiveHost } from '../../machines/live-host.ts';
import { Verifier } from '../../projections/audit/verification.ts';
import { inCampaigns } from '../support/effort.ts';

const COUNT = 20_000;
const history = [...hostHistory(COUNT)];

/** What stands in a host's history sooner rather than later. */
const KINDS: readonly LedgerEvent['type'][] = [
  'host.booted',
  'device.added',
  'device.removed',
  'driver.bound',
  'driver.unbound',
  'driver.unbind-blocked',
  'driver.settled',
  'process.started',
  'process.forked',
  'process.executed',
  'process.exited',
  'descriptor.duplicated',
  'descriptor.passed',
  'descriptor.closed',
  'mapping.created',
  'mapping.removed',
  'group.opened',
  'container.opened',
  'iommufd.opened',
  'device.opened',
  'container.set',
  'container.unset',
  'iommu.set',
  'device.obtained',
  'device.bound',
  'device.attached',
  'device.detached',
  'ioas.allocated',
  'hwpt.allocated',
  'object.destroyed',
  'device.reset',
  'operation.refused',
];

test('the same seed gives the same events, another one others', () => {
  expect(history).toHaveLength(COUNT);
  expect([...hostHistory(COUNT)]).toEqual(history);
  const [booted, ...others] = [...hostHistory(1000, 2)];
  expect(booted?.type).toBe('host.booted');
  expect(others).not.toEqual(history.slice(1, 1000));
});

test('it is a history as a log takes it: valid, each id once, times ascending', () => {
  const ids = new Set<string>();
  let last = '';
  for (const event of history) {
    const { id, time } = entryOf(event);
    expect(time).toBe(event.time);
    expect(last < String(time)).toBe(true);
    last = String(time);
    ids.add(id);
  }
  expect(ids.size).toBe(COUNT);
});

test('the rules find nothing wrong with it, and what is open at a time is bounded', () => {
  const kernel = new Kernel();
  let mostFiles = 0;
  let mostProcesses = 0;
  const unexplained = history.filter((event, position) => {
    const isUnexplained =
      event.type === 'operation.refused' && kernel.explain(event.data).cause === 'unknown';
    kernel.take({ ...event, position });
    mostFiles = Math.max(mostFiles, [...kernel.files()].length);
    mostProcesses = Math.max(mostProcesses, [...kernel.processes.processes()].length);
    return isUnexplained;
  });
  expect(kernel.contradictions).toEqual([]);
  expect(unexplained).toEqual([]);
  expect(mostFiles).toBeLessThan(150);
  expect(mostProcesses).toBeLessThan(50);
});

test('everything happens in it, and a few in a hundred are refused', () => {
  expect(new Set(history.map(({ type }) => type))).toEqual(new Set(KINDS));
  const refused = history.filter(({ type }) => type === 'operation.refused');
  expect(refused.length / COUNT).toBeGreaterThan(0.03);
  expect(refused.length / COUNT).toBeLessThan(0.05);
});

test.each(inCampaigns)('the host boots again, with all of its devices plugged in, %s', () => {
  const types: string[] = [];
  for (const { type } of hostHistory(250_000)) types.push(type);
  const boots = types.flatMap((type, position) => (type === 'host.booted' ? [position] : []));
  expect(boots).toHaveLength(2);
  const again = boots[1] ?? 0;
  expect(types.slice(again + 1, again + 49)).toEqual(Array(48).fill('device.added'));
});

test('a wide host is as wide as was asked, right by the rules, and all of its groups are owned', () => {
  const width = { groups: 70, devices: 150, processes: 80 };
  const host = new LiveHost();
  const verifier = new Verifier();
  const refused: string[] = [];
  for (const event of placed([...wideHost(width), ...roundsOf(100)])) {
    if (event.type === 'operation.refused') refused.push(host.explain(event.data).cause);
    verifier.take(event);
    host.take(event);
  }
  expect(verifier.findings).toEqual([]);
  expect(refused).toEqual(Array(100).fill('cdev-bound-in-group'));
  expect([...host.groups()].map(({ state }) => state)).toEqual(Array(70).fill('iommufd'));
  expect([[...host.devices()].length, [...host.processes()].length]).toEqual([150, 80]);
});

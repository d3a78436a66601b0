import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { openLedger, type Change, type Ledger, type RecordedEvent, type Table } from '../../ledger.ts';
import { bruteForceTable, type TableNow } from '../support/brute-force.ts';
import { OwnershipTrail } from '../support/ownership-trail.ts';
import { kernels, recording } from '../support/recordings.ts';

const suites = [
  { suite: 'questions', sequences: Infinity },
  { suite: 'drivers', sequences: Infinity },
  { suite: 'flows', sequences: 150 },
];

describe.each(kernels)('what %s answered', (kernel) => {
  test.each(suites)('$suite: every table is that of the brute force', async (part) => {
    const ledger = await openLedger(':memory:');
    await ledger.import(recording(kernel, part.suite, part.sequences), { format: 'truth' });

    const trail = new OwnershipTrail(ledger.events);
    for (const { position } of ledger.events) {
      const now = bruteForceTable(ledger.events, position);
      trail.take(now, position);
      expectSameTable(ledger, position, withSince(now, trail));
    }

    for (const group of trail.groups) {
      expect(ledger.history(group), `history of group ${group}`).toEqual(trail.history(group));
    }
    const { position: head } = ledger.head;
    for (const [from, to] of spans(head)) {
      const { changes } = ledger.diff(from < 0 ? 'start' : from, to);
      expect(inOrder(changes), `from ${from} to ${to}`).toEqual(inOrder(trail.between(from, to)));
    }
  });
});

/** Some stretches of a log: the whole, an empty one, and others of several lengths. */
function spans(head: number): [from: number, to: number][] {
  const at = (share: number) => Math.floor(head * share);
  return [
    [-1, head],
    [-1, at(0.1)],
    [at(0.2), at(0.2)],
    [at(0.3), at(0.3) + 20],
    [at(0.4), at(0.6)],
    [at(0.9), head],
  ];
}

/** Several groups may change hands at one position. */
function inOrder(changes: readonly Change[]): Change[] {
  return changes.toSorted(
    (a, b) => a.position - b.position || Number(a.subject) - Number(b.subject),
  );
}

function withSince(now: TableNow, trail: OwnershipTrail): Table {
  return {
    ...now,
    groups: now.groups.map((group) => ({ ...group, since: trail.since(group.group) })),
    devices: now.devices.map((device) => ({ ...device, since: trail.since(device.group) })),
  };
}

function expectSameTable(ledger: Ledger, position: number, expected: Table): void {
  const actual = ledger.at(position).table();
  if (isDeepStrictEqual(actual, expected)) return;
  expect.fail([...story(ledger.events, position), ...differences(actual, expected)].join('\n'));
}

/** The sequence, and the last of its events up to a position. */
function story(events: readonly RecordedEvent[], position: number): string[] {
  const before = events.slice(0, position + 1);
  const boot = before.findLast(({ type }) => type === 'host.booted');
  const told = before.filter(({ type }) => type !== 'device.added').slice(-12);
  return [
    `position ${position}, ${JSON.stringify(boot?.data)} at ${boot?.position}`,
    ...told.map(({ position: at, type, data }) => `  ${at} ${type} ${JSON.stringify(data)}`),
  ];
}

/** What the ledger says otherwise than the brute force, line under line. */
function differences(actual: Table, expected: Table): string[] {
  const mine = lines(actual);
  const theirs = lines(expected);
  return [...new Set([...mine.keys(), ...theirs.keys()])].flatMap((subject) => {
    const [left, right] = [mine.get(subject), theirs.get(subject)];
    if (left === right) return [];
    return [subject, `  ledger      ${left}`, `  brute force ${right}`];
  });
}

function lines({ at, groups, devices, files }: Table): Map<string, string> {
  const subjects = (kind: string, of: readonly object[], name: (one: never) => string) =>
    of.map((one) => [`${kind} ${name(one as never)}`, JSON.stringify(one)] as const);
  return new Map([
    ['at', JSON.stringify(at)],
    ...subjects('group', groups, ({ group }: { group: string }) => group),
    ...subjects('device', devices, ({ device }: { device: string }) => device),
    ...subjects('file', files, ({ file }: { file: string }) => file),
  ]);
}

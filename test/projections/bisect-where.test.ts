import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LedgerEvent, Placed } from '../../events/vocabulary.ts';
import { openLedger, type Ledger, type Table } from '../../ledger.ts';
import { bisectWhere, type FoundWhere, type SeenRow } from '../../projections/bisect-where.ts';
import { HostAtMoment } from '../../projections/moment.ts';
import type { DeviceView, FileView, GroupView } from '../../projections/shapes.ts';
import { Timeline } from '../../projections/timeline.ts';
import { fewestEvents } from '../../projections/where/fewest-events.ts';
import { parseWhere, type TableRows } from '../../projections/where/where.ts';
import { countOf } from '../support/effort.ts';
import { busyHost, randomLogs, type Log } from '../support/random-logs.ts';

const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [
    { name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' },
    { name: 'g27', bdf: '0000:3c:00.0', group: 27, driver: 'vfio-pci', cdev: 'vfio1' },
  ],
};

async function simulated(scenario: string): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.simulate(scenario, { topology, profile: 'linux-7.3' });
  return ledger;
}

/** Two have the card one after the other, and a third looks at the other one. */
const twoGuests = `
@P1 open_iommufd I
@P1 open_cdev A gpu
@P1 bind A I
@P3 open_cdev C g27
@P1 close A
@P1 close I
@P2 open_iommufd J
@P2 open_cdev B gpu
@P2 bind B J
@P2 fork P4
@P2 exit
`;

describe('the first event at which an expression holds', () => {
  /** The event, as type and process. */
  async function found(where: string) {
    const ledger = await simulated(twoGuests);
    const bisection = ledger.bisect({ where });
    const event = bisection?.event;
    const pid = event !== undefined && 'pid' in event.data ? event.data.pid : null;
    return bisection && { ...bisection, event: `${event?.type} ${pid}` };
  }

  test('is the one that gave the group an owner that somebody keeps', async () => {
    const where = 'group 26 owner.kind = "iommufd" and holders.comm ~ "P2"';
    const bisection = await found(where);
    const ledger = await simulated(twoGuests);
    expect(bisection).toMatchObject({
      invariant: null,
      where,
      event: 'device.bound 103',
      cause: null,
      detail: 'group 26: owner.kind iommufd, holders.comm [P2, P2]',
    });
    const prefix = bisection?.prefix.map((at) => ledger.event(at));
    expect(prefix?.map((event) => event?.type)).toEqual([
      'device.added',
      'process.started',
      'iommufd.opened',
      'device.opened',
      'device.bound',
    ]);
  });

  test.each([
    ['group 26 owner.kind = none and since > 0', 'descriptor.closed 101', 'group 26: owner.kind'],
    [
      'group 27 owner.kind = iommufd or device gpu state = bound',
      'device.bound 101',
      'state bound',
    ],
    ['device vfio0 files.holders.comm = P4', 'process.forked 103', '[P2, P4]'],
    ['device g27 count(files) = 1', 'device.opened 102', 'device g27: count(files) 1'],
    ['owner.kind != none and count(holders) > 8', null, ''],
    ['since = 3 and owner.kind = iommufd', null, ''],
    ['not (group 26 viable)', 'host.booted null', 'there is no group 26'],
    ['count(holders) = 0', 'device.added null', 'group 26: count(holders) 0'],
    ['file kind = iommufd and count(holders) = 1', 'iommufd.opened 101', 'kind iommufd'],
  ])('%s', async (where, event, detail) => {
    const bisection = await found(where);
    expect(bisection?.event ?? null).toBe(event);
    if (event !== null) expect(bisection?.detail).toContain(detail);
  });

  test('is none in an empty log', () => {
    expect(bisectWhere(new Timeline(), 'viable')).toBeNull();
  });
});

test('what cannot be read, what never was, and what is both or neither are errors', async () => {
  const ledger = await simulated(twoGuests);
  const thrown = (where: string) => () => ledger.bisect({ where });
  expect(thrown('group 26 owner.knd = none')).toThrow("column 10 of the expression: 'knd' is not");
  expect(thrown('group 9 viable')).toThrow("this log has no group '9'");
  expect(thrown('viable or group 9 viable')).toThrow(
    /expected 'group', 'device' or 'file', not 'viable'/,
  );
  expect(thrown('group viable or group 9 viable')).toThrow("this log has no group '9'");
  expect(thrown('device gpu9 state = open')).toThrow("this log has no device 'gpu9'");
  expect(thrown('file f9999 kind = group')).toThrow("this log has no file 'f9999'");
  expect(() => ledger.bisect({})).toThrow('either an invariant or an expression');
  const both = { where: 'viable', invariant: 'one-context-per-group' };
  expect(() => ledger.bisect(both)).toThrow('either an invariant or an expression');
});

describe('the prefix', () => {
  test('has the rows owned through the files that they were owned through', async () => {
    const contexts = '@P1 open_container C\n@P1 open_group G gpu\n@P1 set_container G C\n';
    const ledger = await simulated(`${twoGuests}@P4 close J\n@P4 close B\n${contexts}`);
    const typesOf = (where: string) => {
      const { prefix = [] } = ledger.bisect({ where }) ?? {};
      return prefix.map((at) => ledger.event(at)?.type);
    };
    expect(typesOf('group 26 owner.kind = iommufd')).toEqual([
      'device.added',
      'iommufd.opened',
      'device.opened',
      'device.bound',
    ]);
    expect(typesOf('group 26 owner.kind = container')).toEqual([
      'device.added',
      'container.opened',
      'group.opened',
      'container.set',
    ]);
  });

  test('goes back to a boot before where it is about the time since then', async () => {
    const open = '@P1 open_iommufd I\n@P1 open_cdev A gpu\n@P1 bind A I\n';
    const free = `seq first\n${open}@P1 exit\n`;
    const ledger = await simulated(`${free}seq second\n@P1 open_group G gpu\n`);
    const [, again = -1] = [...ledger.each('host.booted')].map(({ position }) => position);
    const where = `group 26 since < ${again} and opener != null`;
    const found = ledger.bisect({ where });
    expect(found?.event.type).toBe('group.opened');
    expect(found?.prefix.map((at) => ledger.event(at)?.type)).toEqual([
      'device.added',
      'device.opened',
      'device.bound',
      'group.opened',
    ]);
    expect(found?.prefix[0]).toBeLessThan(again);
  });

  test('is looked for among the last events where the rows say too little', () => {
    const timeline = timelineOf(busyHost(3500, 3), 0, 4096);
    const found = bisectWhere(timeline, 'not (file kind = group) and group 1 since > 3000');
    expect(found?.prefix.length).toBeLessThan(40);
  });

  test('is not the fewest where that would take too long, but shows it', () => {
    const log = busyHost(3000, 5);
    const timeline = timelineOf(log);
    const text = 'group since > 2000 and owner.kind = iommufd';
    const [where, names] = [parseWhere(text), new Map<string, string>()];
    const found = bisectWhere(timeline, text);
    const { position = -1, prefix = [] } = found ?? {};
    const more = fewestEvents(timeline, { where, names, position, rows: [], before: [] }, 1);
    expect(more.length).toBeGreaterThan(prefix.length);
    expect(more.at(-1)).toBe(position);
    const events = more.map((at) => log[at] as Placed<LedgerEvent>);
    const owners = ownersOf(found?.rows ?? [], tableAt(timeline, position));
    expect(found !== null && isShown(found, events, owners)).toBe(true);
  });
});

// At random: expressions that are made of what some row of the history was, now and then.

type Kind = 'group' | 'device' | 'file';
type AnyRow = GroupView | DeviceView | FileView;

const paths: Readonly<Record<Kind, readonly string[]>> = {
  group: `owner.kind owner.file since viable ownerCount holders.comm holders.pid holders.cgroup
    count(holders) opener.file opener.holders.via container.file count(container.holders)`.split(
    /\s+/,
  ),
  device: `name driver state group since owner.kind owner.file holders.comm holders.fd count(files)
    files.file files.kind files.holders.comm count(files.holders)`.split(/\s+/),
  file: 'kind holders.comm holders.via holders.fd holders.file count(holders)'.split(' '),
};

/** Numbers that choose: all of them give an expression, whatever the history. */
interface Choice {
  readonly at: number;
  readonly kind: Kind;
  readonly row: number;
  readonly isNamed: boolean;
  readonly parts: readonly { readonly path: number; readonly operator: number }[];
  readonly word: 'and' | 'or';
}

const choice: fc.Arbitrary<Choice> = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom('group' as const, 'device' as const, 'file' as const),
  row: fc.nat(),
  isNamed: fc.boolean(),
  parts: fc.array(fc.record({ path: fc.nat(), operator: fc.nat() }), {
    minLength: 1,
    maxLength: 3,
  }),
  word: fc.constantFrom('and', 'and', 'or'),
});
const shape = fc.constantFrom('A', 'A', 'A', 'A and B', 'A or B', 'not (A)', 'A and not (B)');
const expression = fc.record({ shape, a: choice, b: choice });

function valuesAt(row: unknown, path: string): unknown[] {
  const full = path.startsWith('holders') && !('kind' in (row as object)) ? `owner.${path}` : path;
  return full.split('.').reduce<unknown[]>(
    (values, key) => {
      return values.flatMap((value) => (value as Record<string, unknown> | null)?.[key] ?? null);
    },
    [row],
  );
}

function clauseText(tables: readonly Table[], { at, kind, row, isNamed, parts, word }: Choice) {
  const all: readonly AnyRow[] = tables[at % tables.length]?.[`${kind}s`] ?? [];
  const chosen = all[row % all.length];
  if (chosen === undefined) return `${kind} (${kind === 'file' ? 'kind = group' : 'since = null'})`;
  const conditions = parts.map(({ path, operator }) => {
    const asked = paths[kind][path % paths[kind].length] ?? '';
    const [, list] = /^count\((.*)\)$/.exec(asked) ?? [];
    const found = valuesAt(chosen, list ?? asked).filter((value) => value !== null);
    const value = list === undefined ? (found[operator % found.length] ?? null) : found.length;
    const isNumber = typeof value === 'number' || list !== undefined;
    const signs = isNumber ? ['=', '>', '!=', '<', '>='] : ['=', '=', '=', '!='];
    const text = JSON.stringify(value);
    return `${asked} ${signs[operator % signs.length]} ${text}`;
  });
  const id = kind in chosen ? (chosen as unknown as Record<string, string>)[kind] : '';
  const name = isNamed ? `${id} ` : '';
  return `${kind} ${name}(${conditions.join(` ${word} `)})`;
}

function rowsOf({ groups, devices, files }: Table): TableRows {
  return {
    groups: () => groups,
    group: (id) => groups.find(({ group }) => group === id),
    devices: () => devices,
    device: (word) => devices.find(({ device }) => device === word),
    files: () => files,
    file: (id) => files.find(({ file }) => file === id),
  };
}

function timelineOf(log: Log, first = 0, whole = 32): Timeline {
  const timeline = new Timeline({ first, whole });
  for (const event of log) timeline.take({ ...event, position: event.position + first });
  return timeline;
}

const tableAt = (timeline: Timeline, position: number): Table =>
  new HostAtMoment(timeline, position).table();

/** Files through which the rows are owned that a bisection tells of. */
function ownersOf(rows: readonly SeenRow[], { groups, devices }: Table): unknown[] {
  return rows.map(({ kind, id, paths }) => {
    const number = kind === 'device' ? devices.find(({ device }) => device === id)?.group : id;
    const group = paths === null ? undefined : groups.find((row) => row.group === number);
    const isContainer = group?.owner.kind === 'container';
    return [group?.owner.file, isContainer && group?.container?.file];
  });
}

/** Whether it first holds at the last of these events, of the same owners, where no others happen. */
function isShown(
  { where: text, rows, position }: FoundWhere<unknown>,
  events: readonly Placed<LedgerEvent>[],
  owners: readonly unknown[],
): boolean {
  const where = parseWhere(text ?? '');
  const timeline = new Timeline();
  // It tells nothing: after another event, a group that evidence finds had been there before.
  const data = { source: 's', format: 'f', clock: 'none', zero: null, after: null } as const;
  const nothing = { type: 'evidence.begun', data } as const;
  const answers = events.map((event) => {
    while (timeline.head < event.position - 1) {
      const at = timeline.head + 1;
      timeline.take({ ...nothing, position: at, id: `n${at}`, time: null } as Placed);
    }
    timeline.take(event);
    return where.holds(rowsOf(tableAt(timeline, event.position)));
  });
  const isFirst = answers.indexOf(true) === answers.length - 1;
  if (timeline.head !== position || !isFirst) return false;
  return isDeepStrictEqual(ownersOf(rows, tableAt(timeline, position)), owners);
}

function compare(log: Log, choices: readonly { shape: string; a: Choice; b: Choice }[], first = 0) {
  const timeline = timelineOf(log, first);
  const tables = log.map(({ position }) => tableAt(timeline, position + first));
  for (const { shape: words, a, b } of choices) {
    const text = words.replace('A', clauseText(tables, a)).replace('B', clauseText(tables, b));
    const where = parseWhere(text);
    const expected = tables.findIndex((table) => where.holds(rowsOf(table)));
    const found = bisectWhere(timeline, text);
    expect({ text, position: found?.position ?? null }).toEqual({
      text,
      position: expected < 0 ? null : expected + first,
    });
    if (found === null) continue;
    const { prefix, position } = found;
    expect(prefix).toEqual([...new Set(prefix)].toSorted((x, y) => x - y));
    expect(prefix.at(-1)).toBe(position);
    if (first > 0) continue;
    const events = prefix.map((at) => log[at] as Placed<LedgerEvent>);
    const owners = ownersOf(found.rows, tables[position] as Table);
    const shown = position === 0 || isShown(found, events, owners);
    expect({ text, prefix, shown }).toEqual({ text, prefix, shown: true });
    for (const left of events) {
      const fewer = events.filter((event) => event !== left);
      const isLess = fewer.length > 0 && isShown(found, fewer, owners);
      expect({ text, prefix, left: left.position, isLess }).toMatchObject({ isLess: false });
    }
  }
}

describe('for any history and expression it is what every table says, and is shown', () => {
  const expressions = fc.array(expression, { minLength: 1, maxLength: 5 });
  const numRuns = countOf('expressions bisected', { test: 6, soak: 40 });
  test.each(Object.entries(randomLogs))('%s', (_, logs) => {
    fc.assert(
      fc.property(logs, expressions, (log, some) => compare(log, some)),
      { numRuns },
    );
  });

  test('and where the events before the first are not there', () => {
    fc.assert(
      fc.property(randomLogs.busy, fc.nat(80), expressions, (log, cut, some) => {
        const later = log.slice(Math.min(cut, log.length - 1));
        const moved = later.map((event, position) => ({ ...event, position })) as Log;
        compare(
          [
            ...moved,
            ...log.map((event) => ({ ...event, position: event.position + moved.length })),
          ] as Log,
          some,
          1000,
        );
      }),
      { numRuns },
    );
  });
});

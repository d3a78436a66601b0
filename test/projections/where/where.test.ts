import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FileView, Holder, Owner } from '../../../projections/shapes.ts';
import type { DeviceRow, GroupRow } from '../../../projections/where/keys.ts';
import { WhereError } from '../../../projections/where/tokens.ts';
import { parseWhere, type TableRows, type Scope } from '../../../projections/where/where.ts';

const holder: Holder = {
  pid: 101,
  comm: 'qemu-kvm',
  cgroup: '/machine.slice/vm1',
  via: 'fd',
  fd: 7,
  file: 'f12',
};
const spdk: Holder = { ...holder, pid: 102, comm: 'spdk', cgroup: null, via: 'mapping', fd: null };
const iommufd: Owner = { kind: 'iommufd', file: 'f12', holders: [holder, spdk] };
const nobody: Owner = { kind: 'none', file: null, holders: [] };
const opened: FileView = { file: 'f15', kind: 'group', holders: [spdk] };

const group26: GroupRow = {
  group: '26',
  owner: iommufd,
  ownerCount: 2,
  since: 40,
  viable: false,
  opener: null,
  container: null,
};
const group27: GroupRow = {
  group: '27',
  owner: nobody,
  ownerCount: 0,
  since: null,
  viable: true,
  opener: opened,
  container: null,
};
const gpu: DeviceRow = {
  device: '0000:3b:00.0',
  name: 'gpu0',
  group: '26',
  driver: 'vfio-pci',
  state: 'bound',
  owner: iommufd,
  since: 40,
  files: [
    { file: 'f13', kind: 'device', holders: [holder] },
    { file: 'f14', kind: 'device', holders: [] },
  ],
};
const nic: DeviceRow = {
  device: '0000:5e:00.0',
  name: null,
  group: null,
  driver: null,
  state: 'absent',
  owner: { ...nobody, kind: 'unknown' },
  since: null,
  files: [],
};
const context: FileView = { file: 'f12', kind: 'iommufd', holders: [holder, spdk] };

interface Lists {
  readonly groups: readonly GroupRow[];
  readonly devices: readonly DeviceRow[];
  readonly files: readonly FileView[];
}

/** The rows of a table, which note what they were asked for. */
function rowsOf({ groups, devices, files }: Lists, asked = new Set<string>()): TableRows {
  return {
    groups: () => (asked.add('group any'), groups),
    group: (id) => (asked.add(`group ${id}`), groups.find(({ group }) => group === id)),
    devices: () => (asked.add('device any'), devices),
    device: (word) => (
      asked.add(`device ${word}`),
      devices.find(({ device, name }) => device === word || name === word)
    ),
    files: () => (asked.add('file any'), files),
    file: (id) => (asked.add(`file ${id}`), files.find(({ file }) => file === id)),
  };
}

const rows = rowsOf({
  groups: [group26, group27],
  devices: [gpu, nic],
  files: [context, opened],
});

describe('an expression holds', () => {
  test.each([
    'group 26 owner.kind = "iommufd" and holders.comm ~ "qemu"',
    'group 26 owner.kind = iommufd and group 27 owner.kind = none',
    "group '26' owner.kind='iommufd'",
    'group g26 group = 26 and ownerCount=2',
    'group "26" not viable',
    'group 9 viable or group 27 viable',
    'group 27 since = null and opener.holders.comm = spdk',
    'group 26 opener = null and opener.file = null and opener.holders.comm = null',
    'group 27 opener != null and count(opener.holders) = 1',
    'group 26 count(opener.holders) = 0 and count(holders) > 1',
    'viable',
    'not viable',
    'viable = false',
    'group viable',
    'group not viable and count(holders) >= 2',
    'group (viable or ownerCount > 5) and owner.kind = none',
    'group = 27 and owner.holders.comm != qemu-kvm',
    'since > 39 and since < 41',
    'device gpu0 state = bound',
    'device 0000:3b:00.0 driver = vfio-pci and files.holders.via = fd',
    'device "0000:3b:00.0" count(files.holders) = 1 and count(files) = 2',
    'device /dev/vfio/devices/gpu0 holders.cgroup ~ vm1',
    'device state = absent and name = null and driver != vfio-pci and driver !~ vfio',
    'device holders.cgroup = null',
    'file f12 kind = iommufd and holders.pid = 102',
    'file file:f12 file = "f12"',
    'file count(holders) < 2',
    'not (group 9 viable)',
    'not (group 26 viable) and (group 27 viable or group 9 viable)',
    'group 26 (viable or (not viable and ownerCount = 2)) and not not ownerCount = 2',
    'group 26 ownerCount = 9 or ownerCount = 2 and group 27 viable',
    'group 27 viable or group 26 viable and group 9 viable',
    'group\t26\n viable = false',
  ])('%s', (text) => {
    expect(parseWhere(text).holds(rows)).toBe(true);
  });
});

describe('an expression does not hold', () => {
  test.each([
    'group 9 viable',
    'group 9 not viable',
    'viable and ownerCount = 2',
    'group 26 holders.comm != spdk',
    'group 26 holders.comm ~ QEMU',
    'group 27 since < 5',
    'group 27 since >= 0',
    'device nic state = absent',
    'group 26 holders.comm = qemu-kvm and holders.pid = 3',
    'owner.file = "null"',
    'not (group viable)',
    'group 26 (ownerCount = 2 or viable) and viable',
  ])('%s', (text) => {
    expect(parseWhere(text).holds(rows)).toBe(false);
  });

  test('in a table without rows, but for its negation', () => {
    const empty = rowsOf({ groups: [], devices: [], files: [] });
    expect(parseWhere('not viable').holds(empty)).toBe(false);
    expect(parseWhere('not (group viable) and not (device name = x)').holds(empty)).toBe(true);
  });
});

test('words that are also operators or keys are texts where values are', () => {
  const named = rowsOf({
    groups: [],
    devices: [
      { ...gpu, name: 'count', driver: 'or' },
      { ...nic, name: 'state', driver: '"\\' },
    ],
    files: [context],
  });
  expect(parseWhere('device count state = bound').holds(named)).toBe(true);
  expect(parseWhere('device "count" (state = bound)').holds(named)).toBe(true);
  expect(parseWhere('device "count" (name = count and driver = "or")').holds(named)).toBe(true);
  expect(parseWhere('device state state = absent').holds(named)).toBe(true);
  expect(parseWhere(String.raw`device driver = "\"\\"`).holds(named)).toBe(true);
  expect(parseWhere(String.raw`device driver = '"\'`).holds(named)).toBe(true);
  expect(parseWhere('file kind = group or kind = iommufd').holds(named)).toBe(true);
  expect(parseWhere('device group = 26').holds(named)).toBe(true);
});

test('the scopes are all that it looks at, each once', () => {
  const text = 'group g26 viable and file file:f1 kind = device';
  expect(parseWhere(`${text} or group 26 viable and device state = open`).scopes).toEqual([
    { kind: 'group', id: '26' },
    { kind: 'file', id: 'f1' },
    { kind: 'device', id: null },
  ]);
  const [named] = parseWhere('device g26 state = open').scopes;
  expect(named).toEqual({ kind: 'device', id: 'g26' });
  expect(parseWhere('viable').scopes).toEqual([{ kind: 'group', id: null }]);
});

describe('what is wrong is said with its column', () => {
  test.each([
    ['group 26 owner.knd = x', 10, "'knd' is not a key of owner: its keys are kind, file, holders"],
    [
      'vaible',
      1,
      /'vaible' is not a key of a group: its keys are group, owner, .*, container, holders$/,
    ],
    ['device stat = open', 8, /'stat' is not a key of a device: its keys are device, name, /],
    [
      'file owner.kind = none',
      6,
      "'owner' is not a key of a file: its keys are file, kind, holders",
    ],
    ['constructor = 3', 1, /'constructor' is not a key of a group/],
    ['owner.kind.x = 3', 1, "'x' is not a key of owner.kind: it has no keys"],
    ['owner.kind = iommfd', 14, /'owner.kind' is one of none, kernel, .*, never 'iommfd'/],
    ['owner = x', 9, "'owner' is made of kind, file, holders, never 'x'"],
    ['holders = 3', 9, /'holders' is a list: compare count\(holders\) or .* holders.pid/],
    ['since < now', 9, "'since' is a number, never 'now'"],
    ['since ~ 3', 7, "'~' cannot be used with 'since', which is a number"],
    ['since < null', 7, "'<' cannot be used with null"],
    ['viable = yes', 10, "'viable' is true or false, never 'yes'"],
    ['since == 3', 7, /unknown operator '=='; known are = != < <= > >= ~ !~/],
    ['owner.file', 11, /expected an operator after 'owner.file'/],
    ['owner.kind none', 12, "expected an operator after 'owner.kind': = != < <= > >= ~ !~"],
    ['owner.kind =', 13, 'expected a value to compare with, not the end'],
    ['owner.kind = and viable', 14, /expected a value to compare with, not 'and'/],
    ['count(owner) > 2', 7, "count takes a list; 'owner' is none"],
    ['count(holders > 2', 15, "expected ')', not '>'"],
    ['count = 2', 1, /'count' is not a key/],
    ['driver = x and', 1, /'driver' is not a key of a group/],
    ['viable and', 11, 'expected a condition, not the end'],
    ['viable && viable', 8, "expected 'and', 'or' or the end, not '&&'"],
    ['viable)', 7, "expected 'and', 'or' or the end, not ')'"],
    ['(viable', 8, "expected ')', not the end"],
    ['  "viable', 3, /is not closed/],
    ['name = "a\\n"', 8, /has a \\ that is not/],
    ["name = 'a", 8, /is not closed/],
    ['', 1, 'expected a condition, not the end'],
    ['group 26', 9, 'expected a condition, not the end'],
    ['group x viable', 7, "expected the number of a group or a condition, not 'x'"],
    ['file 12 kind = group', 6, "expected a file id ('f' and a position), not '12'"],
    ['not group 26 viable', 5, /'not' before 'group' needs parentheses: not \(group …\)/],
    ['group 26 (viable and group 27 viable)', 18, "')' is missing before the next scope"],
    ['group 26 (group 27 viable)', 11, /the scope 'group' is inside another scope/],
    ['device file kind = group', 8, /the scope 'file' is inside another scope/],
    ['viable and group 27 viable', 1, /expected 'group', 'device' or 'file', not 'viable'/],
    ['group 26 viable group 27 viable', 17, "expected 'and', 'or' or the end, not 'group'"],
  ] as const)('%s', (text, column, reason) => {
    const error = errorOf(text);
    expect(error.message).toMatch(reason);
    expect(error.message).toMatch(new RegExp(`^column ${column} of the expression: `));
    expect(error.column).toBe(column);
  });

  test('past the limits, up to which it is read', () => {
    const deep = errorOf(`${'('.repeat(65)}viable`);
    expect(deep.message).toMatch(/^column 65 .*: more than 64 nested parentheses$/);
    const long = errorOf(`viable${' '.repeat(4091)}`);
    expect(long.message).toMatch(/^column 4097 .*: an expression has at most 4096 characters$/);
    expect(parseWhere(`${'('.repeat(64)}viable${')'.repeat(64)}`).holds(rows)).toBe(true);
    const wide = Array.from({ length: 65 }, () => '(viable)').join(' and ');
    expect(parseWhere(wide).holds(rows)).toBe(true);
    expect(parseWhere(`viable${' '.repeat(4090)}`).holds(rows)).toBe(true);
    expect(parseWhere(`${'not '.repeat(1022)}viable`).holds(rows)).toBe(true);
  });
});

function errorOf(text: string): WhereError {
  try {
    parseWhere(text);
  } catch (error) {
    if (error instanceof WhereError) return error;
    throw error;
  }
  return expect.fail(`${text} was read`);
}

// Random rows, of few values, so that conditions meet them.

const comm = fc.constantFrom('qemu', 'qemu-kvm', 'spdk', 'null', 'a b', '"\\', "it's");
const nullable = <T>(some: fc.Arbitrary<T>) => fc.option(some, { freq: 3 });
const position = nullable(fc.integer({ min: 0, max: 4 }));
const fileId = fc.constantFrom('f1', 'f2', 'f3');
const groupId = fc.constantFrom('1', '2', '26');
const deviceId = fc.constantFrom('0000:01:00.0', '0000:02:00.0');
const anyHolder: fc.Arbitrary<Holder> = fc.record({
  pid: position,
  comm: nullable(comm),
  cgroup: nullable(fc.constantFrom('/', '/vm1')),
  via: fc.constantFrom('fd', 'mapping', 'kernel', 'queue'),
  fd: position,
  file: nullable(fileId),
});
const anyHolders = fc.array(anyHolder, { maxLength: 2 });
const anyFile: fc.Arbitrary<FileView> = fc.record({
  file: fileId,
  kind: fc.constantFrom('group', 'container', 'iommufd', 'device'),
  holders: anyHolders,
});
const anyOwner: fc.Arbitrary<Owner> = fc.record({
  kind: fc.constantFrom('none', 'kernel', 'container', 'iommufd', 'unknown'),
  file: nullable(fileId),
  holders: anyHolders,
});
const anyGroup: fc.Arbitrary<GroupRow> = fc.record({
  group: groupId,
  owner: anyOwner,
  ownerCount: fc.nat(4),
  since: position,
  viable: fc.boolean(),
  opener: nullable(anyFile),
  container: nullable(anyFile),
});
const anyDevice: fc.Arbitrary<DeviceRow> = fc.record({
  device: deviceId,
  name: nullable(fc.constantFrom('gpu0', 'nic')),
  group: nullable(groupId),
  driver: nullable(fc.constantFrom('vfio-pci', 'nvidia')),
  state: fc.constantFrom('absent', 'idle', 'open', 'bound', 'attached', 'leaving', 'unknown'),
  owner: anyOwner,
  since: position,
  files: fc.array(anyFile, { maxLength: 2 }),
});
const anyLists: fc.Arbitrary<Lists> = fc.record({
  groups: fc.uniqueArray(anyGroup, { maxLength: 3, selector: ({ group }) => group }),
  devices: fc.uniqueArray(anyDevice, { maxLength: 2, selector: ({ device }) => device }),
  files: fc.uniqueArray(anyFile, { maxLength: 3, selector: ({ file }) => file }),
});

// What can be asked of a row, each with the values that it means, worked out by hand.

type Value = string | number | boolean | null;
type Row = GroupRow & DeviceRow & FileView;
interface Place {
  readonly type: 'text' | 'number' | 'boolean' | readonly string[];
  readonly values: (row: Row) => readonly (Value | undefined)[];
}

const ownerKinds = ['none', 'kernel', 'container', 'iommufd', 'unknown'];
const ofOwner: Readonly<Record<string, Place>> = {
  'owner.kind': { type: ownerKinds, values: ({ owner }) => [owner.kind] },
  'owner.file': { type: 'text', values: ({ owner }) => [owner.file] },
  'owner.holders.pid': { type: 'number', values: ({ owner }) => owner.holders.map((h) => h.pid) },
  'holders.comm': { type: 'text', values: ({ owner }) => owner.holders.map((h) => h.comm) },
  'count(holders)': { type: 'number', values: ({ owner }) => [owner.holders.length] },
  since: { type: 'number', values: ({ since }) => [since] },
};
const places: Readonly<Record<Scope['kind'], Readonly<Record<string, Place>>>> = {
  group: {
    ...ofOwner,
    group: { type: 'number', values: ({ group }) => [Number(group)] },
    ownerCount: { type: 'number', values: ({ ownerCount }) => [ownerCount] },
    viable: { type: 'boolean', values: ({ viable }) => [viable] },
    'opener.file': { type: 'text', values: ({ opener }) => [opener?.file ?? null] },
    'opener.holders.comm': {
      type: 'text',
      values: ({ opener }) => (opener === null ? [null] : opener.holders.map((h) => h.comm)),
    },
    'count(container.holders)': {
      type: 'number',
      values: ({ container }) => [container?.holders.length ?? 0],
    },
  },
  device: {
    ...ofOwner,
    device: { type: 'text', values: ({ device }) => [device] },
    name: { type: 'text', values: ({ name }) => [name] },
    group: { type: 'number', values: ({ group }) => [group === null ? null : Number(group)] },
    'files.holders.via': {
      type: ['fd', 'mapping', 'kernel', 'queue'],
      values: ({ files }) => files.flatMap((file) => file.holders.map(({ via }) => via)),
    },
    'count(files.holders)': {
      type: 'number',
      values: ({ files }) => [files.reduce((sum, file) => sum + file.holders.length, 0)],
    },
  },
  file: {
    file: { type: 'text', values: ({ file }) => [file] },
    kind: { type: ['group', 'container', 'iommufd', 'device'], values: ({ kind }) => [kind] },
    'holders.cgroup': { type: 'text', values: ({ holders }) => holders.map((h) => h.cgroup) },
    'holders.fd': { type: 'number', values: ({ holders }) => holders.map((h) => h.fd) },
  },
};

// Trees, their texts and their meaning.

interface Comparison {
  readonly path: string;
  readonly operator: string;
  readonly literal: Value;
  /** How the literal is written, where it can be. */
  readonly style: 'bare' | 'single' | 'double';
}
type Tree<L> =
  | { readonly word: 'and' | 'or' | 'not'; readonly of: readonly Tree<L>[] }
  | { readonly leaf: L };
interface Clause {
  readonly scope: Scope;
  readonly tree: Tree<Comparison>;
}

function treeOf<L>(leaf: fc.Arbitrary<L>): fc.Arbitrary<Tree<L>> {
  return fc.letrec<{ tree: Tree<L> }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.record({ leaf }),
      fc.record({
        word: fc.constantFrom('and' as const, 'or' as const),
        of: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }),
      }),
      fc.record({ word: fc.constant('not' as const), of: fc.tuple(tie('tree')) }),
    ),
  })).tree;
}

function comparisonOf(kind: Scope['kind']): fc.Arbitrary<Comparison> {
  return fc.constantFrom(...Object.entries(places[kind])).chain(([path, { type }]) => {
    const some = (...operators: string[]) => fc.constantFrom(...operators);
    const style = fc.constantFrom('bare' as const, 'single' as const, 'double' as const);
    const asked = (operator: fc.Arbitrary<string>, literal: fc.Arbitrary<Value>) =>
      fc.record({ path: fc.constant(path), operator, literal, style });
    const isNull = asked(some('=', '!='), fc.constant(null));
    if (type === 'number') {
      return fc.oneof(
        asked(some('=', '!=', '<', '<=', '>', '>='), fc.integer({ min: -1, max: 4 })),
        isNull,
      );
    }
    if (type === 'boolean') return asked(some('=', '!='), fc.boolean());
    const part = asked(some('~', '!~'), fc.constantFrom('', 'e', 'qemu', 'f', '1', ' '));
    if (type !== 'text') return fc.oneof(asked(some('=', '!='), fc.constantFrom(...type)), part);
    const texts = fc.oneof(comm, fileId, deviceId, fc.constantFrom('gpu0', '/vm1', 'or', 'group'));
    return fc.oneof(asked(some('=', '!='), texts), part, isNull);
  });
}

const kinds = ['group', 'device', 'file'] as const;
const ids = { group: groupId, device: fc.oneof(deviceId, fc.constant('nic')), file: fileId };
const anyClause: fc.Arbitrary<Clause> = fc.constantFrom(...kinds).chain((kind) =>
  fc.record({
    scope: fc.record({ kind: fc.constant(kind), id: nullable(ids[kind]) }),
    tree: treeOf(comparisonOf(kind)),
  }),
);
const anyTree = treeOf(anyClause);

function literalText({ literal, style }: Pick<Comparison, 'literal' | 'style'>): string {
  if (typeof literal !== 'string') return String(literal);
  const isBare = /^[^\s"'()=!<>~]+$/.test(literal) && !/^(?:and|or|not|null)$/.test(literal);
  if (style === 'bare' && isBare) return literal;
  if (style === 'single' && !literal.includes("'")) return `'${literal}'`;
  return `"${literal.replace(/["\\]/g, '\\$&')}"`;
}

const levels = { or: 0, and: 1, not: 2 };

/** With no more parentheses than are needed. */
function textOf<L>(tree: Tree<L>, leafText: (leaf: L) => string): string {
  if ('leaf' in tree) return leafText(tree.leaf);
  const parts = tree.of.map((part) => {
    const text = textOf(part, leafText);
    const isLoose =
      'leaf' in part
        ? tree.word === 'not' && isScoped(part.leaf)
        : levels[part.word] < levels[tree.word];
    return isLoose ? `(${text})` : text;
  });
  return tree.word === 'not' ? `not ${parts.join('')}` : parts.join(` ${tree.word} `);
}

function isScoped(leaf: unknown): boolean {
  return typeof leaf === 'object' && leaf !== null && 'scope' in leaf;
}

function comparisonText({ path, operator, ...literal }: Comparison): string {
  if (literal.literal === true && operator === '=') return path;
  return `${path} ${operator} ${literalText(literal)}`;
}

function clauseText({ scope: { kind, id }, tree }: Clause): string {
  return `${kind} ${id === null ? '' : `${id} `}${textOf(tree, comparisonText)}`;
}

function means<L>(tree: Tree<L>, leafMeans: (leaf: L) => boolean): boolean {
  if ('leaf' in tree) return leafMeans(tree.leaf);
  const parts = tree.of.map((part) => means(part, leafMeans));
  if (tree.word === 'not') return !parts[0];
  return tree.word === 'and' ? !parts.includes(false) : parts.includes(true);
}

function comparisonMeans({ path, operator, literal }: Comparison, kind: Scope['kind'], row: Row) {
  const values = places[kind][path]?.values(row) ?? [];
  const isThere = (value: Value | undefined): value is string | number => value != null;
  switch (operator) {
    case '=':
      return values.includes(literal);
    case '!=':
      return !values.includes(literal);
    case '~':
      return values.some((value) => value != null && String(value).includes(String(literal)));
    case '!~':
      return values.every((value) => value == null || !String(value).includes(String(literal)));
    case '<':
      return values.filter(isThere).some((value) => Number(value) < Number(literal));
    case '<=':
      return values.filter(isThere).some((value) => Number(value) <= Number(literal));
    case '>':
      return values.filter(isThere).some((value) => Number(value) > Number(literal));
    default:
      return values.filter(isThere).some((value) => Number(value) >= Number(literal));
  }
}

function clauseMeans({ scope: { kind, id }, tree }: Clause, lists: Lists): boolean {
  const all = lists[`${kind}s`] as readonly Row[];
  const isNamed = (row: Row) => row[kind] === id || (kind === 'device' && row.name === id);
  const named = id === null ? all : all.filter(isNamed).slice(0, 1);
  return named.some((row) => means(tree, (comparison) => comparisonMeans(comparison, kind, row)));
}

describe('for any expression', () => {
  test('its text means what its tree does, and looks at nothing but its scopes', () => {
    fc.assert(
      fc.property(anyTree, anyLists, (tree, lists) => {
        const asked = new Set<string>();
        const where = parseWhere(textOf(tree, clauseText));
        const holds = where.holds(rowsOf(lists, asked));
        expect(holds).toBe(means(tree, (clause) => clauseMeans(clause, lists)));
        const scopes = where.scopes.map(({ kind, id }) => `${kind} ${id ?? 'any'}`);
        expect(scopes).toEqual([...new Set(scopes)]);
        expect([...asked].filter((row) => !scopes.includes(row))).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  test('without a scope it is about any group', () => {
    fc.assert(
      fc.property(treeOf(comparisonOf('group')), anyLists, (tree, lists) => {
        const text = textOf(tree, comparisonText);
        const plain = parseWhere(text).holds(rowsOf(lists));
        expect(plain).toBe(parseWhere(`group (${text})`).holds(rowsOf(lists)));
        expect(plain).toBe(clauseMeans({ scope: { kind: 'group', id: null }, tree }, lists));
      }),
      { numRuns: 500 },
    );
  });

  test('not is its negation: of the whole, and within the scope of a row that is there', () => {
    fc.assert(
      fc.property(anyTree, anyLists, (tree, lists) => {
        const text = textOf(tree, clauseText);
        const holds = parseWhere(text).holds(rowsOf(lists));
        expect(parseWhere(`not (${text})`).holds(rowsOf(lists))).toBe(!holds);
      }),
    );
    fc.assert(
      fc.property(comparisonOf('group'), anyGroup, (comparison, group) => {
        const only = rowsOf({ groups: [group], devices: [], files: [] });
        const text = comparisonText(comparison);
        const holds = parseWhere(text).holds(only);
        expect(parseWhere(`not ${text}`).holds(only)).toBe(!holds);
        if (!/^!?[=~]$/.test(comparison.operator)) return;
        const operator = comparison.operator.startsWith('!')
          ? comparison.operator.slice(1)
          : `!${comparison.operator}`;
        expect(parseWhere(comparisonText({ ...comparison, operator })).holds(only)).toBe(!holds);
      }),
    );
  });

  test('it is the same with and without quotation marks', () => {
    fc.assert(
      fc.property(anyClause, anyLists, (clause, lists) => {
        const written = (style: Comparison['style']) =>
          textOf(clause.tree, (comparison) => comparisonText({ ...comparison, style }));
        const [bare, ...quoted] = (['bare', 'single', 'double'] as const).map((style) =>
          parseWhere(`${clause.scope.kind} (${written(style)})`).holds(rowsOf(lists)),
        );
        expect(quoted).toEqual([bare, bare]);
      }),
    );
  });
});

const pieces = fc.constantFrom(
  ...`group device file 26 f1 gpu0 and or not count ( ) = != < ~ "x" ' " \\ viable holders . state
  holders.comm owner.kind none null true __proto__ constructor.name opener`.split(/\s+/),
);

test('any text is read or refused with a WhereError, and what is read can be asked', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc
      .array(fc.oneof({ weight: 9, arbitrary: pieces }, fc.string({ maxLength: 3 })), {
        maxLength: 14,
      })
      .map((parts) => parts.join(' ')),
  );
  fc.assert(
    fc.property(text, anyLists, (any, lists) => {
      try {
        expect(parseWhere(any).holds(rowsOf(lists))).toBeTypeOf('boolean');
      } catch (error) {
        expect(error).toBeInstanceOf(WhereError);
        const { column } = error as WhereError;
        expect(column).toBeGreaterThan(0);
        expect(column).toBeLessThanOrEqual(any.length + 1);
      }
    }),
    { numRuns: 5000 },
  );
});

test.each(['(', 'not ', 'not (', 'viable and ', 'group ', '"', '\\', '" ', '=', 'a.', 'count('])(
  'the longest text of %s takes no time',
  (piece) => {
    const text = piece.repeat(4096).slice(0, 4096);
    expect(() => parseWhere(text)).toThrow(WhereError);
  },
);

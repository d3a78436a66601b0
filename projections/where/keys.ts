/**
 * The keys of the rows: which paths exist, the shape of their values, and the values in a row.
 *
 * @module
 */
import type { DeviceView, FileView, GroupView, Holder, Owner } from '../shapes.ts';
import type { Untimed } from '../timed.ts';
import { WhereError, type Token } from './tokens.ts';

export type RowKind = 'group' | 'device' | 'file';
/** Rows have no times: an expression compares positions. */
export type GroupRow = Untimed<GroupView>;
export type DeviceRow = Untimed<DeviceView>;
export type TableRow = GroupRow | DeviceRow | FileView;

/** The type of the values at a path. The number of a group is text in a row, and a number here. */
export type Shape =
  | { readonly type: 'text' | 'number' | 'boolean' }
  | { readonly type: 'words'; readonly words: Readonly<Record<string, true>> }
  | { readonly type: 'list'; readonly of: Parts }
  | Parts;

interface Parts {
  readonly type: 'parts';
  readonly keys: Readonly<Record<string, Shape>>;
  readonly nullable: boolean;
}

/** The shape of a type. So the compiler reports a key that a row type has and a shape lacks. */
type ShapeOf<T> = [NonNullable<T>] extends [boolean]
  ? { type: 'boolean' }
  : [NonNullable<T>] extends [number]
    ? { type: 'number' }
    : [NonNullable<T>] extends [string]
      ? WordsOf<NonNullable<T>>
      : [NonNullable<T>] extends [readonly (infer E)[]]
        ? { type: 'list'; of: PartsOf<E> }
        : PartsOf<NonNullable<T>> & { nullable: null extends T ? true : false };
type WordsOf<T extends string> = string extends T
  ? { type: 'text' | 'number' }
  : { type: 'words'; words: Record<T, true> };
interface PartsOf<T> {
  type: 'parts';
  keys: { [K in keyof T]: ShapeOf<T[K]> };
  nullable: boolean;
}

const text = { type: 'text' } as const;
const number = { type: 'number' } as const;

const holder: PartsOf<Holder> = {
  type: 'parts',
  nullable: false,
  keys: {
    pid: number,
    comm: text,
    cgroup: text,
    via: { type: 'words', words: { fd: true, mapping: true, kernel: true, queue: true } },
    fd: number,
    file: text,
  },
};
const holders = { type: 'list', of: holder } as const;

const file = {
  type: 'parts',
  nullable: false,
  keys: {
    file: text,
    kind: { type: 'words', words: { group: true, container: true, iommufd: true, device: true } },
    holders,
  },
} as const satisfies PartsOf<FileView>;

const owner = {
  type: 'parts',
  nullable: false,
  keys: {
    kind: {
      type: 'words',
      words: { none: true, kernel: true, container: true, iommufd: true, unknown: true },
    },
    file: text,
    holders,
  },
} as const satisfies PartsOf<Owner>;

const group: PartsOf<GroupRow> = {
  type: 'parts',
  nullable: false,
  keys: {
    group: number,
    owner,
    ownerCount: number,
    since: number,
    viable: { type: 'boolean' },
    opener: { ...file, nullable: true },
    container: { ...file, nullable: true },
  },
};

const device: PartsOf<DeviceRow> = {
  type: 'parts',
  nullable: false,
  keys: {
    device: text,
    name: text,
    group: number,
    driver: text,
    state: {
      type: 'words',
      words: {
        absent: true,
        idle: true,
        open: true,
        bound: true,
        attached: true,
        leaving: true,
        unknown: true,
      },
    },
    owner,
    since: number,
    files: { type: 'list', of: file },
  },
};

const rows: Readonly<Record<RowKind, Parts>> = { group, device, file };

/** A path of an expression. */
export interface KeyPath {
  /** As it is written in the expression. */
  readonly text: string;
  readonly shape: Shape;
  /**
   * The values of a row at this path: several if it leads through a list, none if that is empty.
   */
  readonly values: (row: TableRow) => readonly unknown[];
}

/** Whether the first key of a word is a key of such a row. */
export function isKey(kind: RowKind, word: string): boolean {
  return Object.hasOwn(rows[kind].keys, fullPath(kind, word)[0] ?? '');
}

/** Resolves a path. Throws `WhereError`, which lists the known keys, for an unknown one. */
export function keyPathOf(kind: RowKind, { text, column }: Token): KeyPath {
  let shape: Shape = rows[kind];
  const path = fullPath(kind, text);
  for (const [index, key] of path.entries()) {
    const parts = partsOf(shape);
    if (parts === null || !Object.hasOwn(parts, key)) {
      const whole = index === 0 ? `a ${kind}` : path.slice(0, index).join('.');
      const keys = parts === null ? 'it has no keys' : `its keys are ${keysOf(kind, parts, index)}`;
      throw new WhereError(column, `'${key}' is not a key of ${whole}: ${keys}`);
    }
    shape = parts[key] as Shape;
  }
  return { text, shape, values: (row) => valuesAt(row, path) };
}

/**
 * The path `count(LIST)`: the number of elements. Throws `WhereError` if the path is not a list.
 */
export function countOf(kind: RowKind, token: Token): KeyPath {
  const { text, shape, values } = keyPathOf(kind, token);
  if (shape.type !== 'list')
    throw new WhereError(token.column, `count takes a list; '${text}' is none`);
  return {
    text: `count(${text})`,
    shape: number,
    values: (row) => [values(row).filter((value) => value !== null).length],
  };
}

/** The keys of an object, or of the elements of a list; null for a single value. */
export function partsOf(shape: Shape): Parts['keys'] | null {
  if (shape.type === 'list') return shape.of.keys;
  return shape.type === 'parts' ? shape.keys : null;
}

function fullPath(kind: RowKind, word: string): string[] {
  const path = word.split('.');
  return kind !== 'file' && path[0] === 'holders' ? ['owner', ...path] : path;
}

function keysOf(kind: RowKind, parts: Parts['keys'], depth: number): string {
  const short = depth === 0 && kind !== 'file' ? ['holders'] : [];
  return [...Object.keys(parts), ...short].join(', ');
}

function valuesAt(row: TableRow, path: readonly string[]): unknown[] {
  let values: unknown[] = [row];
  for (const key of path) {
    // `flatMap` replaces a list by its elements.
    values = values.flatMap((value) =>
      value === null ? null : (value as Readonly<Record<string, unknown>>)[key],
    );
  }
  return values;
}

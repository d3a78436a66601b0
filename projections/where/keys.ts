/**
 * The keys of the rows: which paths there are, what they lead to, and the values at their end.
 *
 * @module
 */
import type { DeviceView, FileView, GroupView, Holder, Owner } from '../shapes.ts';
import { WhereError, type Token } from './tokens.ts';

export type RowKind = 'group' | 'device' | 'file';
export type TableRow = GroupView | DeviceView | FileView;

/** What a value may be. A group's number is text in the rows, and a number here. */
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

/** The shape that belongs to a type: a key that the rows gain or lose is an error here. */
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

const group: PartsOf<GroupView> = {
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

const device: PartsOf<DeviceView> = {
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

/** What a condition is about: the values that a row has there, and their shape. */
export interface KeyPath {
  readonly text: string;
  readonly shape: Shape;
  /** None where a list is empty, several where the path leads through a list. */
  readonly values: (row: TableRow) => readonly unknown[];
}

/** Whether a word can be a path of such a row, as far as its first key goes. */
export function isKey(kind: RowKind, word: string): boolean {
  return Object.hasOwn(rows[kind].keys, fullPath(kind, word)[0] ?? '');
}

/** What a path leads to. Throws `WhereError`, which lists the keys that there are. */
export function keyPathOf(kind: RowKind, { text, column }: Token): KeyPath {
  let shape: Shape = rows[kind];
  const path = fullPath(kind, text);
  for (const [index, key] of path.entries()) {
    const parts = partsOf(shape);
    if (parts === null || !Object.hasOwn(parts, key)) {
      const whole = index === 0 ? `a ${kind}` : path.slice(0, index).join('.');
      const keys = parts === null ? 'it has no parts' : `there are ${keysOf(kind, parts, index)}`;
      throw new WhereError(column, `'${key}' is no key of ${whole}; ${keys}`);
    }
    shape = parts[key] as Shape;
  }
  return { text, shape, values: (row) => valuesAt(row, path) };
}

/** How many elements a list has. Throws `WhereError` where the path does not end at a list. */
export function countOf(kind: RowKind, token: Token): KeyPath {
  const { text, shape, values } = keyPathOf(kind, token);
  if (shape.type !== 'list') throw new WhereError(token.column, `'${text}' is no list to count`);
  return {
    text: `count(${text})`,
    shape: number,
    values: (row) => [values(row).filter((value) => value !== null).length],
  };
}

/** The parts of what is at a path, or of its elements; null where it is a single value. */
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
    // A list becomes its elements here.
    values = values.flatMap((value) =>
      value === null ? null : (value as Readonly<Record<string, unknown>>)[key],
    );
  }
  return values;
}

/**
 * Quick tests of shapes: a valibot schema as a function that takes a fraction of valibot's time.
 *
 * A quick test passes only what valibot accepts and returns unchanged, with keys in the same order.
 * What it does not pass may still be valid: then valibot decides, and says what is wrong.
 *
 * @module
 */
import type * as v from 'valibot';

/** Tests a value that `JSON.parse` made: such values have no getters and inherit no keys. */
export type QuickTest = (value: unknown) => boolean;

/** What a quick test reads of a schema or an action of valibot. Which of it is there follows from `type`. */
interface SchemaParts {
  readonly type: string;
  readonly pipe?: readonly SchemaParts[];
  readonly wrapped: SchemaParts;
  readonly default?: unknown;
  readonly item: SchemaParts;
  readonly literal: unknown;
  readonly options: readonly unknown[];
  readonly key: string;
  readonly entries: Readonly<Record<string, SchemaParts>>;
  readonly requirement: unknown;
}

/** The quick test of a schema. It passes nothing if the schema has a part that is not in `tests`. */
export function quickTest(schema: v.GenericSchema): QuickTest {
  return whenAsked(() => testOf(schema as unknown as SchemaParts));
}

/** A test that is made when it is first asked: a log has events of few types. */
function whenAsked(make: () => QuickTest): QuickTest {
  let test: QuickTest | null = null;
  return (value) => (test ??= make())(value);
}

function testOf(schema: SchemaParts): QuickTest {
  const { type, pipe } = schema;
  if (pipe === undefined) return tests[type]?.(schema) ?? never;
  const all = pipe.map(testOf);
  return (value) => all.every((test) => test(value));
}

const never: QuickTest = () => false;

/** The tests by the type of a schema or an action. */
const tests: Readonly<Record<string, (schema: SchemaParts) => QuickTest>> = {
  unknown: () => () => true,
  string: () => (value) => typeof value === 'string',
  number: () => (value) => typeof value === 'number' && !Number.isNaN(value),
  boolean: () => (value) => typeof value === 'boolean',
  literal:
    ({ literal }) =>
    (value) =>
      value === literal,
  picklist:
    ({ options }) =>
    (value) =>
      options.includes(value),
  union({ options }) {
    const all = (options as readonly SchemaParts[]).map(testOf);
    return (value) => all.some((test) => test(value));
  },
  nullable: orElse(null),
  optional: orElse(undefined),
  array({ item }) {
    const test = testOf(item);
    return (value) => Array.isArray(value) && value.every((one) => test(one));
  },
  object({ entries }) {
    const all = Object.entries(entries).map(([key, entry]) => [key, testOf(entry)] as const);
    return (value) => isRecord(value) && all.every(([key, test]) => test(value[key]));
  },
  strict_object: ({ entries }) => strictTest(entries),
  variant({ key, options }) {
    const byKey = new Map<unknown, QuickTest>();
    for (const option of options as readonly SchemaParts[]) {
      byKey.set(
        option.entries[key]?.literal,
        whenAsked(() => testOf(option)),
      );
    }
    return (value) => isRecord(value) && byKey.get(value[key])?.(value) === true;
  },

  non_empty: () => (value) => value !== '',
  max_length:
    ({ requirement }) =>
    (value) =>
      String(value).length <= Number(requirement),
  integer: () => Number.isInteger,
  min_value:
    ({ requirement }) =>
    (value) =>
      Number(value) >= Number(requirement),
  regex: matches,
  iso_timestamp: matches,
  check: ({ requirement }) => requirement as QuickTest,
};

function orElse(other: null | undefined): (schema: SchemaParts) => QuickTest {
  return ({ wrapped, default: instead }) => {
    const test = testOf(wrapped);
    // Valibot would return another value.
    if (instead !== undefined) return never;
    return (value) => value === other || test(value);
  };
}

function matches({ requirement }: SchemaParts): QuickTest {
  return (value) => (requirement as RegExp).test(String(value));
}

/** Keys must come in the order of the entries: valibot returns them in that order. */
function strictTest(entries: SchemaParts['entries']): QuickTest {
  const keys = Object.keys(entries);
  const all = Object.values(entries).map(testOf);
  const isOptional = Object.values(entries).map(({ type }) => type === 'optional');
  return (value) => {
    if (!isRecord(value)) return false;
    let next = 0;
    for (const key in value) {
      while (keys[next] !== key) if (isOptional[next++] !== true) return false;
      if (all[next++]?.(value[key]) !== true) return false;
    }
    while (next < keys.length) if (isOptional[next++] !== true) return false;
    return true;
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

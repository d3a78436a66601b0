import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { upcast } from '../../events/upcasters.ts';
import { schemas, SCHEMA, type EventType } from '../../events/vocabulary.ts';
import { openLedger, sealLog, type RecordedEvent } from '../../ledger.ts';
import { temporaryFolder } from './folder.ts';

const corpus = join(import.meta.dirname, 'corpus');
const folder = temporaryFolder();

/** Logs that were written by a release of each schema, beside what that release said of them. */
const logs = readdirSync(corpus).flatMap((name) => {
  const [, schema] = /^good_schema-(\d+)\.ledger$/.exec(name) ?? [];
  return schema === undefined ? [] : [{ name, schema: Number(schema) }];
});

function copyOf(name: string, as: string): string {
  for (const file of readdirSync(corpus).filter((found) => found.startsWith(name))) {
    copyFileSync(join(corpus, file), join(folder, as + file.slice(name.length)));
  }
  return join(folder, as);
}

function toldOf(name: string): { events: RecordedEvent[]; table: unknown } {
  const told = (kind: string) =>
    readFileSync(join(corpus, name.replace(/ledger$/, kind)), 'utf8').trim();
  const lines = told('jsonl').split('\n').slice(0, -1);
  return {
    events: lines.map((line) => lifted(JSON.parse(line) as RecordedEvent)),
    table: JSON.parse(told('table.json')),
  };
}

/** An event of an older schema as it is read today: FORMAT.md says what changes. */
function lifted(event: RecordedEvent): RecordedEvent {
  return { ...event, ...upcast(event, event.schema) } as RecordedEvent;
}

test('there is a log of every schema so far', () => {
  const known = Array.from({ length: SCHEMA }, (_, index) => index + 1);
  expect(new Set(logs.map(({ schema }) => schema))).toEqual(new Set(known));
});

describe.each(logs)('a log of schema $schema', ({ name, schema }) => {
  test('reads as it did when it was written, and is not changed by that', async () => {
    const path = copyOf(name, `read-${schema}`);
    const before = readFileSync(path);
    const ledger = await openLedger(path, { readOnly: true });
    const { events, table } = toldOf(name);
    expect(ledger.events).toEqual(events);
    // A table has keys that came later.
    expect(ledger.at('end').table()).toMatchObject(table as object);
    expect(ledger.events[0]?.schema).toBe(schema);
    expect([...ledger.verify().faults, ...(await ledger.examine()).faults]).toEqual([]);
    await ledger.close();
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('goes on in the schema of today, and what was written stays as it was', async () => {
    const path = copyOf(name, `on-${schema}`);
    const { events } = toldOf(name);
    const ledger = await openLedger(path);
    const export_ = [
      {
        position: 0,
        id: 'later',
        time: null,
        schema: 1,
        type: 'process.exited',
        data: { pid: 1, signal: null },
      },
      { end: { events: 1 } },
    ];
    await ledger.import(export_.map((line) => JSON.stringify(line)).join('\n'), {
      format: 'events',
    });
    expect(ledger.events.slice(0, -1)).toEqual(events);
    expect(ledger.events.at(-1)).toMatchObject({ id: 'later', schema: SCHEMA });
    await ledger.close();
    sealLog(path);
    const sealed = await openLedger(path);
    expect(sealed.events.slice(0, -1)).toEqual(events);
    expect([...sealed.verify().faults, ...(await sealed.examine()).faults]).toEqual([]);
    await sealed.close();
  });
});

/** A schema of valibot's, as far as it is asked for here. */
interface Shape {
  readonly type: string;
  readonly expects: string;
  readonly entries?: Readonly<Record<string, Shape>>;
  readonly wrapped?: Shape;
  readonly item?: Shape;
  readonly options?: readonly (Shape | string)[];
  readonly pipe?: readonly { readonly type: string; readonly expects: string | null }[];
}

/** A shape on one line: `{pid: number integer >=0, cloexec: optional(boolean)}`. */
function shapeText({ type, expects, entries, wrapped, item, pipe }: Shape): string {
  if (entries !== undefined) {
    const parts = Object.entries(entries).map(([key, shape]) => `${key}: ${shapeText(shape)}`);
    return `{${parts.join(', ')}}`;
  }
  const inner = wrapped ?? item;
  if (inner !== undefined) return `${type}(${shapeText(inner)})`;
  const checks = (pipe ?? []).slice(1).map((check) => check.expects ?? check.type);
  return [expects, ...checks].join(' ');
}

function shapesOfToday(): string {
  const lines = Object.entries(schemas as unknown as Record<string, Shape>).flatMap(
    ([type, shape]) =>
      (shape.options ?? [shape]).map((one) => `${type} ${shapeText(one as Shape)}\n`),
  );
  return lines.join('');
}

// `UPDATE_SHAPES=1` writes those of a schema that is new, and no others.
test('the shapes of a schema are not changed: what is new is a schema of its own', () => {
  const file = join(corpus, `schema-${SCHEMA}.shapes.txt`);
  const isNew = process.env['UPDATE_SHAPES'] !== undefined && !existsSync(file);
  if (isNew) writeFileSync(file, shapesOfToday());
  expect(shapesOfToday()).toBe(readFileSync(file, 'utf8'));
});

test('the logs of the corpus hold every type of event, but for those that nobody has seen', () => {
  const seen = new Set(logs.flatMap(({ name }) => toldOf(name).events.map(({ type }) => type)));
  const missing = (Object.keys(schemas) as EventType[]).filter((type) => !seen.has(type));
  expect(missing).toEqual(['history.removed', 'device.hot-reset']);
});

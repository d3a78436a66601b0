import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../log/sqlite.ts';
import { NotALogError, type RecordedEvent } from '../../log/store.ts';
import { hostTopology, jsonLines, main, run } from '../cli/program.ts';
import {
  acknowledged,
  type Child,
  expectAllOf,
  randomFrom,
  start,
  startAppender,
  verified,
} from './children.ts';
import { countOf } from '../support/effort.ts';
import { temporaryFolder } from './folder.ts';
import { operation, type Place, STREAM } from './operations.ts';
import { readAll } from './sample.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

/** Kills the process a while after it has said the line; at once when it ends before. */
async function killAfter(child: Child, line: RegExp | null, ms: number): Promise<void> {
  if (line !== null) await child.said(line);
  await sleep(ms);
  child.process.kill('SIGKILL');
  const { err, end } = await child.ended;
  expect({ err, end: end === 0 ? 'SIGKILL' : end }).toEqual({ err: '', end: 'SIGKILL' });
}

describe('a process that is killed', () => {
  test('while it appends: what it acknowledged is there, and nothing is half', async () => {
    const log = at('growing.log');
    const random = randomFrom(1);
    const appended = new Map<number, Place[]>();
    // Long rounds are killed as they append and checkpoint, short ones as they open and close.
    const moments = [
      [/^opening$/, 3],
      [/^open$/, 12],
      [/ /, 40],
      [/^closed$/, 12],
    ] as const;
    const kills = countOf('kills as it appends', { test: 4, soak: 140, full: 1400 });
    for (let by = 0; by < kills; by++) {
      const [line, within] = moments[by % moments.length] ?? [null, 0];
      const long = { by, rounds: 1, operations: 1000 };
      const child = startAppender(log, by % 4 === 3 ? { by, rounds: 200, operations: 2 } : long);
      await killAfter(child, line, random() * within);
      appended.set(by, acknowledged(child));
      if (by % 10 === 9) await expectAllOf(log, appended);
      if (by % 35 === 34) await verified(log);
    }
    const last = startAppender(log, { by: kills, rounds: 1, operations: 2 });
    expect(await last.ended).toEqual({ err: '', end: 0 });
    const found = await expectAllOf(log, appended.set(kills, acknowledged(last)));
    expect(found.length).toBeGreaterThan(kills);
    expect(await verified(log)).toBe((found.at(-1)?.position ?? 0) + 1);
  });

  test('while it creates a log: the next one goes on, and nobody finds it damaged', async () => {
    const random = randomFrom(2);
    const kills = countOf('kills as it creates a log', { test: 1, soak: 20, full: 200 });
    for (let turn = 0; turn < kills; turn++) {
      const log = at(`created-${turn}.log`);
      const child = startAppender(log, { by: 0, rounds: 1, operations: 1000 });
      await killAfter(child, /^opening$/, random() * 4);
      const next = startAppender(log, { by: 1, rounds: 1, operations: 1 });
      expect(await next.ended).toEqual({ err: '', end: 0 });
      const appended = [child, next].map((each, by) => [by, acknowledged(each)] as const);
      await expectAllOf(log, new Map(appended));
    }
  });

  test('in the middle of creating a log: it is no log yet, and becomes one', async () => {
    const whole = at('whole.log');
    await openSqliteStore(whole).close();
    const pages = readFileSync(whole);
    const size = pages.readUInt16BE(16);
    // So a rollback journal begins whose file was empty before.
    const journal = Buffer.alloc(512);
    journal.write('d9d505f920a163d7000000000000000100000000', 'hex');
    journal.writeUInt32BE(512, 20);
    journal.writeUInt32BE(size, 24);
    for (let written = 1; written * size <= pages.length; written++) {
      const log = at(`cut-after-${written}.log`);
      writeFileSync(log, pages.subarray(0, written * size));
      writeFileSync(`${log}-journal`, journal);
      expect(() => openSqliteStore(log, { readOnly: true })).toThrow(NotALogError);
      for (const n of [0, 1]) {
        const store = openSqliteStore(log);
        await store.append(STREAM, n * 2 - 1, operation(0, n));
        await store.close();
      }
      expect(await verified(log)).toBe(5);
    }
  });

  test('while it simulates: each answer has its event, and nothing is half', async () => {
    const log = at('simulated.ledger');
    const turns = countOf('kills as it simulates', { test: 2, soak: 40, full: 400 });
    const random = randomFrom(3);
    const scenario =
      '@P2 open_group G nvme\n@P2 open_container C\n@P2 set_container G C\n@P2 set_iommu C\n' +
      '@P3 open_group H nvme\n@P2 fork P4\n@P2 exit\n@P4 exit\n@P3 exit\n';
    const input = scenario.repeat(100);
    const simulate = ['simulate', '--topology', hostTopology, '--log'];
    const undisturbed = jsonLines((await run([...simulate, at('whole.ledger')], { input })).out);
    const places = undisturbed.map(({ position }) => Number(position));
    const boot = await bootsIn(at('whole.ledger'));
    const events = boot[0] ?? [];
    // A boot is whole when it ends where an operation ends, or has only begun.
    const booted = events.findIndex(({ type }) => type === 'process.started') - 1;
    const ends = new Set([...places, booted]);
    expect(places.at(-1)).toBe(events.length - 1);

    const answers: number[][] = [];
    for (let turn = 0; turn < turns; turn++) {
      const child = start(main, [...simulate, log], input);
      const atStart = turn % 2 === 0;
      await killAfter(child, atStart ? null : /position/, random() * (atStart ? 300 : 30));
      answers.push(
        jsonLines(['{}', ...child.lines()].join('\n'))
          .slice(1)
          .map(positionOf),
      );
      if (turn % 10 === 9) await verified(log);
    }
    const boots = await bootsIn(log);
    for (const boot of boots) {
      expect(boot.map(({ type }) => type)).toEqual(events.slice(0, boot.length).map(typeOf));
      expect(ends).toContain(boot.length - 1);
    }
    const starts = new Set(boots.map(([first]) => first?.position));
    for (const positions of answers.filter(({ length }) => length > 0)) {
      const first = (positions[0] ?? 0) - (places[0] ?? 0);
      expect(starts).toContain(first);
      expect(positions).toEqual(places.slice(0, positions.length).map((place) => first + place));
      const boot = boots.find(([event]) => event?.position === first) ?? [];
      expect(first + boot.length - 1).toBeGreaterThanOrEqual(positions.at(-1) ?? Infinity);
    }
    expect(answers.flat().length).toBeGreaterThan(0);
    expect((await run([...simulate, log], { input })).code).toBe(0);
    await verified(log);
  });
});

const positionOf = ({ position }: Record<string, unknown>) => Number(position);
const typeOf = ({ type }: RecordedEvent) => type;

/** The events of a log, apart by boot. */
async function bootsIn(log: string): Promise<RecordedEvent[][]> {
  const store = openSqliteStore(log, { readOnly: true });
  const boots: RecordedEvent[][] = [];
  for (const event of await readAll(store, STREAM)) {
    if (event.type === 'host.booted') boots.push([]);
    boots.at(-1)?.push(event);
  }
  await store.close();
  return boots;
}

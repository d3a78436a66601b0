import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../log/sqlite.ts';
import {
  acknowledged,
  type Child,
  expectAllOf,
  randomFrom,
  startAppender,
  startReader,
  verified,
} from './children.ts';
import { countOf } from '../support/effort.ts';
import { temporaryFolder } from './folder.ts';
import { operation } from './operations.ts';

const root = temporaryFolder();
const well = { err: '', end: 0 };

function appendedBy(appenders: readonly Child[]) {
  return new Map(appenders.map((child, by) => [by, acknowledged(child)]));
}

/** How many operations a reader found, each time. */
function seenBy(reader: Child): number[] {
  return reader.lines().map(Number);
}

describe('many processes with one log', () => {
  test('append at once: each operation once, in order, and never half', async () => {
    const count = countOf('processes that append', { test: 3, soak: 16 });
    const operations = countOf('operations of each', { test: 60, soak: 625, full: 6250 });
    const all = count * operations;
    const log = join(root, 'shared.log');
    // The first and the last process that have a log open lock it whole.
    const lasting = openSqliteStore(log);
    // These wait for no lock at all, and read before the first append.
    const readers = [startReader(log, 0), startReader(log, 0)];
    await Promise.all(readers.map(({ said }) => said(/^0$/)));
    const appenders = Array.from({ length: count }, (_, by) =>
      startAppender(log, { by, rounds: 1, operations, stays: true }),
    );
    await Promise.all(appenders.map(({ said }) => said(new RegExp(`\\.${operations - 1} `))));
    await Promise.all(readers.map(({ said }) => said(new RegExp(`^${all}$`))));
    for (const { process } of readers) process.stdin?.end();
    for (const { ended } of readers) expect(await ended).toEqual(well);
    await lasting.close();
    for (const { process } of appenders) process.stdin?.end();
    for (const { ended } of appenders) expect(await ended).toEqual(well);

    const appended = appendedBy(appenders);
    for (const places of appended.values()) expect(places).toHaveLength(operations);
    expect(await expectAllOf(log, appended)).toHaveLength(all);
    for (const reader of readers) {
      // Not only at the end.
      expect(seenBy(reader).filter((seen) => seen > 0 && seen < all)).not.toEqual([]);
    }
    const events = Array.from({ length: operations }, (_, n) => operation(0, n).length);
    expect(await verified(log)).toBe(count * events.reduce((sum, some) => sum + some, 0));
    // Each of those that close at the same time may leave SQLite's files to the others.
    await openSqliteStore(log).close();
    const left = readdirSync(root).filter((name) => name.startsWith('shared'));
    expect(left.filter((name) => name !== 'shared.log.index')).toEqual(['shared.log']);
  });

  test('open it, append and close, as others are killed: nothing fails or is lost', async () => {
    const count = countOf('processes that come and go', { test: 3, soak: 60, full: 600 });
    const log = join(root, 'churn.log');
    const random = randomFrom(4);
    const appenders: Child[] = [];
    const killed = new Set<Child>();
    await openSqliteStore(log).close();
    const readers = [startReader(log, 5000), startReader(log, 5000)];

    async function one(by: number): Promise<void> {
      const child = startAppender(log, { by, rounds: 12, operations: 2 });
      appenders[by] = child;
      if (by % 6 === 5) {
        killed.add(child);
        await child.said(/^opening$/);
        await sleep(random() * 40);
        child.process.kill('SIGKILL');
      }
      await child.ended;
    }
    let next = 0;
    const lane = async () => {
      while (next < count) await one(next++);
    };
    await Promise.all(Array.from({ length: 12 }, lane));
    for (const { process } of readers) process.stdin?.end();
    for (const { ended } of readers) expect(await ended).toEqual(well);
    for (const child of appenders) if (!killed.has(child)) expect(await child.ended).toEqual(well);

    const appended = appendedBy(appenders);
    for (const [by, places] of appended) {
      if (!killed.has(appenders[by]!)) expect(places).toHaveLength(24);
    }
    await expectAllOf(log, appended);
    for (const reader of readers) expect(seenBy(reader).length).toBeGreaterThan(0);
    await verified(log);
    await openSqliteStore(log).close();
    expect(readdirSync(root).filter((name) => name.startsWith('churn'))).toEqual(['churn.log']);
  });

  test('those that create a log at the same time all append to the same one', async () => {
    const turns = countOf('logs created at once', { test: 1, soak: 10, full: 100 });
    for (let turn = 0; turn < turns; turn++) {
      const log = join(root, `created-${turn}.log`);
      const appenders = Array.from({ length: 6 }, (_, by) =>
        startAppender(log, { by, rounds: 3, operations: 1 }),
      );
      for (const { ended } of appenders) expect(await ended).toEqual(well);
      expect(await expectAllOf(log, appendedBy(appenders))).toHaveLength(18);
    }
  });
});

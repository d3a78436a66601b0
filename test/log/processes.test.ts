import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
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
import { temporaryFolder } from './folder.ts';

vi.setConfig({ testTimeout: 300_000 });

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
  test('16 append 10,000 operations: each once, in order, and never half', async () => {
    const log = join(root, 'shared.log');
    const appenders = Array.from({ length: 16 }, (_, by) =>
      startAppender(log, { by, rounds: 1, operations: 625, stays: true }),
    );
    await Promise.all(appenders.map(({ said }) => said(/^open$/)));
    // These wait for no lock at all.
    const readers = [startReader(log, 0), startReader(log, 0)];
    await Promise.all(appenders.map(({ said }) => said(/\.624 /)));
    await Promise.all(readers.map(({ said }) => said(/^10000$/)));
    for (const { process } of readers) process.stdin?.end();
    for (const { ended } of readers) expect(await ended).toEqual(well);
    for (const { process } of appenders) process.stdin?.end();
    for (const { ended } of appenders) expect(await ended).toEqual(well);

    const appended = appendedBy(appenders);
    for (const places of appended.values()) expect(places).toHaveLength(625);
    expect(await expectAllOf(log, appended)).toHaveLength(10_000);
    for (const reader of readers) {
      // Not only at the end.
      expect(seenBy(reader).filter((seen) => seen > 0 && seen < 10_000)).not.toEqual([]);
    }
    expect(await verified(log)).toBe(25_000 - 16 / 2);
    const left = readdirSync(root).filter((name) => name.startsWith('shared'));
    expect(left.filter((name) => name !== 'shared.log.index')).toEqual(['shared.log']);
  });

  test('60 open it, append and close, as others are killed: nothing fails or is lost', async () => {
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
      while (next < 60) await one(next++);
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
    for (let turn = 0; turn < 10; turn++) {
      const log = join(root, `created-${turn}.log`);
      const appenders = Array.from({ length: 6 }, (_, by) =>
        startAppender(log, { by, rounds: 3, operations: 1 }),
      );
      for (const { ended } of appenders) expect(await ended).toEqual(well);
      expect(await expectAllOf(log, appendedBy(appenders))).toHaveLength(18);
    }
  });
});

/**
 * A push that is killed again and again.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { historyOf } from '../../../bench/hosts.ts';
import type { LedgerEvent } from '../../../events/vocabulary.ts';
import type { Engine } from '../../../log/engine.ts';
import { jetStreamEngine } from '../../../log/jetstream-engine.ts';
import type { Row } from '../../../log/row.ts';
import { openSqliteStore } from '../../../log/sqlite.ts';
import { main } from '../../cli/program.ts';
import { countOf } from '../../support/effort.ts';
import { start } from '../children.ts';
import { temporaryFolder } from '../folder.ts';
import { type Cluster, startCluster } from './cluster.ts';

const EVENTS = countOf('events of a push that is killed', {
  test: 2_000,
  soak: 200_000,
  full: 1e6,
});
const KILLS = countOf('kills of a push', { test: 2, soak: 20 });
const BATCH = 10_000;
const HOST = 'gpu-7.example.org';
const folder = temporaryFolder();

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster(3);
});
afterAll(async () => {
  await cluster.stop();
});

/** Writes a log of so many events of a host. */
async function write(path: string): Promise<void> {
  const store = openSqliteStore(path);
  let events: LedgerEvent[] = [];
  let position = -1;
  for (const event of await historyOf('whole', EVENTS)) {
    events.push(event);
    if (events.length < BATCH && position + events.length < EVENTS - 1) continue;
    ({ position } = (await store.append(HOST, position, events)).head);
    events = [];
  }
  await store.close();
}

const lineOf = (row: Row) => `${JSON.stringify(row)}\n`;

/** Resolves when the engine has the position. */
async function reaches(engine: Engine, position: number): Promise<void> {
  while ((await engine.head(HOST)).position < position) await delay(5);
}

test(`a push that is killed ${KILLS} times arrives whole, once and in order`, async () => {
  const path = join(folder, 'recorded.ledger');
  await write(path);
  const local = openSqliteStore(path, { readOnly: true });
  const head = await local.head(HOST);
  const address = cluster.address('pushed');
  const engine = await jetStreamEngine(address);
  const push = () => start(main, ['push', '--to', address, '--log', path], '');

  let killed = 0;
  for (let n = 1; n <= KILLS; n++) {
    const pushing = push();
    // It is killed at work: after as many events as are its share.
    const share = reaches(engine, Math.floor((n * head.position) / (KILLS + 1)));
    await Promise.race([share, pushing.ended]);
    pushing.process.kill('SIGKILL');
    if ((await pushing.ended).end === 'SIGKILL') killed += 1;
    await share;
  }
  expect(killed).toBe(KILLS);
  expect((await engine.head(HOST)).position).toBeLessThan(head.position);
  expect(await push().ended).toEqual({ err: '', end: 0 });
  expect(await push().ended).toEqual({ err: '', end: 0 });

  expect(await engine.head(HOST)).toEqual(head);
  expect(await engine.streams()).toEqual([HOST]);
  const digest = createHash('sha256');
  for await (const rows of engine.read(HOST, 0)) for (const row of rows) digest.update(lineOf(row));
  const expected = createHash('sha256');
  for await (const rows of local.rows.read(HOST, 0)) {
    for (const row of rows) expected.update(lineOf(row));
  }
  expect(digest.digest('hex')).toBe(expected.digest('hex'));
  await engine.close();
  await local.close();
});

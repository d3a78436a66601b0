/**
 * Hosts that write while servers are killed. What a killed process has written is in the memory of the
 * kernel still: this tests processes, not power.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../../log/engine.ts';
import { jetStreamEngine } from '../../../log/jetstream-engine.ts';
import { memoryStore } from '../../../log/memory.ts';
import { replicaOf } from '../../../log/replica.ts';
import type { Row } from '../../../log/row.ts';
import { type AppendResult, StoreUnavailableError } from '../../../log/store.ts';
import { countOf } from '../../support/effort.ts';
import { randomFrom } from '../children.ts';
import { chained, rowsIn } from '../rows.ts';
import { closedMany } from '../sample.ts';
import { type Cluster, startCluster } from './cluster.ts';

const HOSTS = countOf('hosts that write while servers are killed', { test: 2, soak: 16 });
const LEADERS = countOf('kills of the leader', { test: 1, soak: 2, full: 8 });
const CLUSTERS = countOf('kills of all servers', { test: 1, soak: 2, full: 8 });
const LOG = 'killed';
const QUIET_MS = 2_000;

let cluster: Cluster;
const opened: Engine[] = [];

beforeAll(async () => {
  cluster = await startCluster(3);
});
afterAll(async () => {
  for (const engine of opened) await engine.close();
  await cluster.stop();
});

async function open(): Promise<Engine> {
  const engine = await jetStreamEngine(cluster.address(LOG));
  opened.push(engine);
  return engine;
}

/** Appends until there is an answer. */
async function surely(append: () => Promise<AppendResult>): Promise<AppendResult> {
  for (;;) {
    try {
      return await append();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }
}

/** A host that appends until it is told to stop. Resolves with the rows that were acknowledged. */
async function write(host: string, random: () => number, stop: AbortSignal): Promise<Row[]> {
  const engine = await open();
  const acknowledged: Row[] = [];
  let head = await engine.head(host);
  while (!stop.aborted) {
    const count = 1 + Math.floor(4 * random());
    const rows = chained(head, closedMany(count, head.position + 1));
    const result = await surely(() => engine.append(host, head, rows));
    expect(result.appended).toBe(count);
    acknowledged.push(...rows);
    ({ head } = result);
  }
  return acknowledged;
}

/** Kills servers and starts them again, one time after the other. */
async function killServers(): Promise<void> {
  const pause = () => delay(QUIET_MS);
  for (let n = 0; n < Math.max(LEADERS, CLUSTERS); n++) {
    if (n < LEADERS) {
      await pause();
      const leader = await cluster.leaderOf(LOG);
      await leader.kill();
      await pause();
      await leader.start();
    }
    if (n < CLUSTERS) {
      await pause();
      await Promise.all(cluster.servers.map(({ kill }) => kill()));
      await delay(500);
      for (const { start } of cluster.servers) await start();
      await cluster.ready();
    }
  }
  await pause();
}

test(`${HOSTS} hosts lose nothing that was acknowledged, and have nothing twice`, async () => {
  const hosts = Array.from({ length: HOSTS }, (_, n) => `host-${n}.example`);
  const [stopWriting, stopFollowing] = [new AbortController(), new AbortController()];
  const follower = await open();
  const followed: Row[] = [];
  const following = (async () => {
    for await (const rows of follower.follow(hosts[0] ?? '', 0, stopFollowing.signal)) {
      followed.push(...rows);
    }
  })();
  const writing = hosts.map((host, n) => write(host, randomFrom(n), stopWriting.signal));
  // A host that fails ends the test at once.
  await Promise.race([killServers(), Promise.all(writing)]);
  stopWriting.abort();
  const acknowledged = await Promise.all(writing);
  const events = acknowledged.reduce((sum, rows) => sum + rows.length, 0);
  process.stdout.write(`campaign jetstream-kills: ${events} events of ${HOSTS} hosts\n`);

  const reader = await open();
  expect(await reader.streams()).toEqual(hosts.toSorted());
  for (const [n, host] of hosts.entries()) {
    const rows = await rowsIn(reader, host);
    expect(rows.map(([position]) => position)).toEqual(rows.map((_, position) => position));
    expect(rows).toEqual(acknowledged[n]);
  }
  while (followed.length < (acknowledged[0]?.length ?? 0)) await delay(50);
  stopFollowing.abort();
  await following;
  expect(followed).toEqual(acknowledged[0]);

  const replica = replicaOf(await open(), memoryStore());
  expect((await replica.examine()).faults).toEqual([]);
});

import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AppendTooLargeError, type Engine, LostAnswerError } from '../../../log/engine.ts';
import { genesisOf } from '../../../log/hash.ts';
import { jetStreamEngine } from '../../../log/jetstream-engine.ts';
import { POSITION, subjectOf } from '../../../log/jetstream-messages.ts';
import { memoryStore } from '../../../log/memory.ts';
import { replicaOf } from '../../../log/replica.ts';
import { headOfRow, type Row } from '../../../log/row.ts';
import { type Head, RevisionConflictError } from '../../../log/store.ts';
import { countOf, inCampaigns, isCampaign } from '../../support/effort.ts';
import { engineContract } from '../engine-contract.ts';
import { appendMany, chained, rowsIn } from '../rows.ts';
import { closed, closedMany } from '../sample.ts';
import { type Cluster, natsServer, startCluster } from './cluster.ts';
import './without-server.ts';
import { startProxy } from './proxy.ts';

/** A mebibyte is what a server takes; headers are a part of it. */
const LIMIT = 1_048_064;
const HISTORIES = countOf('histories of hosts in turn', { test: 1, soak: 20 });
/** What one server keeps, three keep as well, and take longer for it. */
const SERVERS = isCampaign ? 3 : 1;

describe.skipIf(natsServer === undefined)(`a log on servers: ${SERVERS}`, () => {
  let cluster: Cluster;
  let logs = 0;
  const opened: Engine[] = [];

  beforeAll(async () => {
    cluster = await startCluster(SERVERS);
  });
  afterAll(async () => {
    for (const engine of opened) await engine.close();
    await cluster.stop();
  });

  engineContract('jetstream', async () => {
    const address = cluster.address(newLog());
    return { connect: () => jetStreamEngine(address), limit: LIMIT };
  });

  const newLog = () => `log-${(logs += 1)}`;

  async function open(address: string, patienceMs?: number): Promise<Engine> {
    const engine = await jetStreamEngine(address, {
      ...(patienceMs !== undefined && { patienceMs }),
    });
    opened.push(engine);
    return engine;
  }

  const rowsOf = (head: Head, count: number) => chained(head, closedMany(count, head.position + 1));

  const positions = (rows: readonly Row[]) => rows.map(([position]) => position);
  const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, n) => from + n);

  /** All messages of a log, as an administrator sees them. */
  const stored = (log: string) =>
    cluster.manage(async (manager) => {
      const { config, state } = await manager.streams.info(log, { subjects_filter: '>' });
      return { config, messages: state.messages, subjects: state.subjects };
    });

  test('has a message for each append, and as many replicas as there are servers', async () => {
    const log = newLog();
    const engine = await open(cluster.address(log));
    await appendMany(engine, 'a', 3);
    await appendMany(engine, 'b.example', 1);
    await appendMany(engine, 'a', 2);
    expect(await stored(log)).toMatchObject({
      config: { num_replicas: SERVERS, deny_delete: true, deny_purge: true },
      messages: 3,
      subjects: { [`${log}.a`]: 2, [`${log}.b%2Eexample`]: 1 },
    });
    expect(engine.notes).toHaveLength(SERVERS === 1 ? 1 : 0);
  });

  test('a reader makes no log', async () => {
    const log = newLog();
    const engine = await open(cluster.address(log));
    expect(await engine.streams()).toEqual([]);
    expect(await engine.head('a')).toMatchObject({ position: -1 });
    expect(await rowsIn(engine, 'a')).toEqual([]);
    await expect(stored(log)).rejects.toThrow(/stream not found/);
  });

  test('positions are those of the host, however the appends of hosts are mixed', async () => {
    const hosts = ['a', 'b.c', 'd *', 'e>'];
    const turns = fc.array(
      fc.record({ host: fc.constantFrom(...hosts), count: fc.integer({ min: 1, max: 4 }) }),
      { minLength: 1, maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(turns, async (appends) => {
        const address = cluster.address(newLog());
        const writers = await Promise.all(hosts.map(() => open(address)));
        const expected = new Map<string, number>();
        for (const { host, count } of appends) {
          await appendMany(writers[hosts.indexOf(host)] as Engine, host, count);
          expected.set(host, (expected.get(host) ?? 0) + count);
        }
        const [reader] = writers as [Engine];
        expect(await reader.streams()).toEqual([...expected.keys()].sort());
        for (const [host, count] of expected) {
          expect((await reader.head(host)).position).toBe(count - 1);
          for (const from of upTo(count + 1)) {
            expect(positions(await rowsIn(reader, host, from))).toEqual(upTo(count - from, from));
          }
        }
      }),
      { numRuns: HISTORIES },
    );
  });

  test('hosts that write at the same time do not wait for each other, nor meet', async () => {
    const address = cluster.address(newLog());
    const hosts = upTo(8).map((n) => `host-${n}`);
    await Promise.all(
      hosts.map(async (host) => {
        const engine = await open(address);
        for (const _ of upTo(10)) await appendMany(engine, host, 2);
      }),
    );
    const reader = await open(address);
    for (const host of hosts) expect(positions(await rowsIn(reader, host))).toEqual(upTo(20));
  });

  test('an append over the limit of a message is refused whole, and names the limit', async () => {
    const engine = await open(cluster.address(newLog()));
    const { head } = await engine.append(
      'a',
      await engine.head('a'),
      rowsOf(await engine.head('a'), 1),
    );
    const rows = rowsOf(head, 9_000);
    const append = engine.append('a', head, rows);
    await expect(append).rejects.toThrow(AppendTooLargeError);
    await expect(append).rejects.toThrow(/takes at most 1048064 bytes in one append/);
    expect(await engine.head('a')).toEqual(head);
  });

  async function throughProxy() {
    const log = newLog();
    const [server] = cluster.servers as Cluster['servers'] & { 0: { port: number } };
    const proxy = await startProxy(server?.port ?? 0);
    const direct = await open(cluster.address(log));
    const head = await appendMany(direct, 'a', 2);
    return { log, proxy, direct, head, address: `nats://127.0.0.1:${proxy.port}/${log}` };
  }

  test('events that were lost on their way are asked for again', async () => {
    const { log, proxy, address } = await throughProxy();
    const engine = await open(address);
    const lost = proxy.loseAnswerTo(`$JS.API.CONSUMER.MSG.NEXT.${log}.`);
    expect(positions(await rowsIn(engine, 'a'))).toEqual(upTo(2));
    await lost;
    await proxy.stop();
  });

  describe('an append whose answer was lost', () => {
    test.each([
      { when: 'at once', window: null, lostFor: undefined },
      { when: 'when the server has forgotten the id of the message', window: 0.1, lostFor: 1_000 },
    ])('is made again, and is there once: $when', async ({ window, lostFor }) => {
      const { log, proxy, direct, head, address } = await throughProxy();
      if (window !== null) {
        await cluster.manage((manager) =>
          manager.streams.update(log, { duplicate_window: window * 1e9 }),
        );
      }
      const engine = await open(address);
      const rows = rowsOf(head, 3);
      const lost = proxy.loseAnswerTo(`${log}.a`, lostFor);
      expect(await engine.append('a', head, rows)).toEqual({
        head: headOfRow(rows[2] as Row),
        appended: 3,
      });
      await lost;
      expect(positions(await rowsIn(direct, 'a'))).toEqual(upTo(5));
      expect((await stored(log)).messages).toBe(2);
      await proxy.stop();
    });

    const whenUnknown =
      'is said to be unknown if no server answers any more; the same append then ends it';
    test.each(inCampaigns)(`${whenUnknown}: %s`, async () => {
      const { log, proxy, direct, head, address } = await throughProxy();
      const engine = await open(address, 500);
      const rows = rowsOf(head, 3);
      void proxy.loseAnswerTo(`${log}.a`, 60_000);
      await expect(engine.append('a', head, rows)).rejects.toThrow(LostAnswerError);
      await proxy.stop();
      expect(await direct.append('a', head, rows)).toMatchObject({ appended: 0 });
      expect(positions(await rowsIn(direct, 'a'))).toEqual(upTo(5));
    });

    test('is refused if another writer was first', async () => {
      const { log, proxy, direct, head, address } = await throughProxy();
      const engine = await open(address);
      const other = chained(head, [closed('other')]);
      await direct.append('a', head, other);
      const late = engine.append('a', head, rowsOf(head, 3));
      await expect(late).rejects.toThrow(RevisionConflictError);
      expect(positions(await rowsIn(direct, 'a'))).toEqual(upTo(3));
      expect((await stored(log)).messages).toBe(2);
      await proxy.stop();
    });
  });

  test.each([{ [POSITION]: '5' }, {}])(
    'a last message that is no append ends the history, which is read up to there: %j',
    async (headers) => {
      const log = newLog();
      const engine = await open(cluster.address(log));
      await appendMany(engine, 'a', 3);
      await appendMany(engine, 'a', 2);
      await appendMany(engine, 'b', 2);
      await cluster.send([{ subject: subjectOf(log, 'a'), headers, text: 'no events' }]);
      for (const from of upTo(6)) {
        const read: Row[] = [];
        const reading = (async () => {
          for await (const rows of engine.read('a', from)) read.push(...rows);
        })();
        await expect(reading).rejects.toThrow(/message 4 of the server has no events/);
        expect(positions(read)).toEqual(upTo(5 - from, from));
      }
      await expect(engine.head('a')).rejects.toMatchObject({ code: 'damaged' });
      const replica = replicaOf(await open(cluster.address(log)), memoryStore());
      const { faults } = await replica.examine();
      expect(faults.map(({ position, message }) => [position, message])).toEqual([
        [5, expect.stringMatching(/^host 'a', position 5: message 4/)],
      ]);
      expect(await replica.head('a')).toMatchObject({ position: 4 });
    },
  );

  describe('an event that an administrator has', () => {
    type Message = readonly [Row, Row];

    /** A log of five appends of two events, in which an administrator has done something. */
    async function forged(forge: (messages: Message[]) => readonly Message[]) {
      const log = newLog();
      await cluster.manage(async (manager) => {
        const metadata = { 'vfio-ledger': '1' };
        await manager.streams.add({
          name: log,
          subjects: [`${log}.*`],
          num_replicas: SERVERS,
          metadata,
        });
      });
      const rows = chained({ position: -1, hash: genesisOf('a') }, closedMany(10));
      const messages = upTo(5).map((n) => rows.slice(2 * n, 2 * n + 2) as unknown as Message);
      await cluster.send(
        forge(messages).map((message) => ({
          subject: subjectOf(log, 'a'),
          headers: { [POSITION]: String(message[0][0]) },
          text: JSON.stringify(message),
        })),
      );
      const replica = replicaOf(await open(cluster.address(log)), memoryStore());
      return (await replica.examine()).faults.map(({ position }) => position);
    }

    const changed = ([first, second]: Message): Message => [
      first,
      second.with(5, '{"pid":1,"fd":9}') as unknown as Row,
    ];

    test.each<[string, number[], (messages: Message[]) => readonly Message[]]>([
      ['left alone is intact', [], (messages) => messages],
      ['changed', [5], (messages) => messages.with(2, changed(messages[2] as Message))],
      ['removed', [4], (messages) => messages.toSpliced(2, 1)],
      ['swapped', [4], ([a, b, c, d, e]) => [a, b, d, c, e] as Message[]],
      ['inserted', [4], (messages) => messages.toSpliced(2, 0, messages[0] as Message)],
    ])('%s: verify finds %j', async (_, positions, forge) => {
      expect(await forged(forge)).toEqual(positions);
    });
  });
});

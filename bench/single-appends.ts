/**
 * Durable appends, one at a time, beside the least that a disk can be asked for.
 *
 * @module
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openSqliteStore } from '../log/sqlite.ts';
import { type Contest, contests } from './contest.ts';
import { begin, take } from './history.ts';
import { type HostKind, hostKinds } from './hosts.ts';

const SIZE = 120;

const contestOf = (host: HostKind): Contest => ({
  name: 'durable append, one at a time',
  of: { host },
  beside: 'write + fdatasync of the same bytes',
  target: 0.9,
  size: SIZE,

  async start(folder) {
    const path = join(folder, `${host}.ledger`);
    const { items, ...log } = await begin(path, host);
    let { position } = log;
    const store = openSqliteStore(path);
    const file = openSync(join(folder, `${host}.jsonl`), 'a');

    const turn = () => {
      const work = take(items, SIZE);
      const lines = work.map(({ row }) => Buffer.from(`${JSON.stringify(row)}\n`));
      return {
        async ours() {
          for (const { event } of work) {
            const { head } = await store.append('host', position, [event]);
            position = head.position;
          }
        },
        peer() {
          for (const line of lines) {
            writeSync(file, line);
            fdatasyncSync(file);
          }
        },
      };
    };
    const end = async () => {
      closeSync(file);
      await store.close();
    };
    return { turn, end };
  },
});

export const singleAppends = contests(hostKinds.map(contestOf));

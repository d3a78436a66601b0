/**
 * Durable appends, one at a time, beside the least that a disk can be asked for.
 *
 * @module
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openSqliteStore } from '../log/sqlite.ts';
import type { Contest } from './contest.ts';
import { begin, take } from './history.ts';

const SIZE = 120;

export const singleAppends: Contest = {
  name: 'durable append, one at a time',
  beside: 'write + fdatasync of the same bytes',
  target: 0.9,
  size: SIZE,

  async start(folder) {
    const path = join(folder, 'ours.ledger');
    const { items, ...log } = await begin(path);
    let { position } = log;
    const store = openSqliteStore(path);
    const file = openSync(join(folder, 'peer.jsonl'), 'a');

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
};

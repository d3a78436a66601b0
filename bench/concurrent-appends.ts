/**
 * Appends that wait at the same time, beside one transaction that holds all their rows.
 *
 * @module
 */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSqliteStore } from '../log/sqlite.ts';
import { type Contest, contests } from './contest.ts';
import { begin, take } from './history.ts';
import { type HostKind, hostKinds } from './hosts.ts';

const AT_ONCE = 64;
const TIMES = 8;

const contestOf = (host: HostKind): Contest => ({
  name: `${AT_ONCE} concurrent durable appends in one process`,
  beside: `one transaction of ${AT_ONCE} rows in node:sqlite`,
  of: { host },
  target: 0.75,
  size: AT_ONCE * TIMES,

  async start(folder) {
    const path = join(folder, `${host}.ledger`);
    const copy = join(folder, `${host}-peer.ledger`);
    const { items, ...log } = await begin(path, host);
    let { position } = log;
    copyFileSync(path, copy);
    const store = openSqliteStore(path);
    const db = new DatabaseSync(copy);
    // Its -wal may grow as long as ours.
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000',
    );
    const insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)');

    const turn = () => {
      const work = Array.from({ length: TIMES }, () => take(items, AT_ONCE));
      return {
        async ours() {
          for (const batch of work) {
            await Promise.all(batch.map(({ event }) => store.append('host', position++, [event])));
          }
        },
        peer() {
          for (const batch of work) {
            db.exec('BEGIN IMMEDIATE');
            for (const { row } of batch) insert.run('host', ...row);
            db.exec('COMMIT');
          }
        },
      };
    };
    const end = async () => {
      db.close();
      await store.close();
    };
    return { turn, end };
  },
});

export const concurrentAppends = contests(hostKinds.map(contestOf));

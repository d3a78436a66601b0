/**
 * Hosts in one log, each with as many events: what all of them take, and what one of them takes beside the
 * others.
 *
 * @module
 */
import { join } from 'node:path';
import { openLedger } from '../ledger.ts';
import { openSqliteStore } from '../log/sqlite.ts';
import { cpuSecondsOf } from './cpu-time.ts';
import type { Figure } from './figure.ts';
import { appendTo, costsBySize, meanSeconds } from './load.ts';
import { roundsOf, wideHost } from './wide-host.ts';

const SIZES = [50, 150, 500];
const GROUPS = 8;
const ROUNDS = 50;

const events = [
  ...wideHost({ groups: GROUPS, devices: GROUPS, processes: GROUPS }),
  ...roundsOf(ROUNDS, GROUPS),
];

export const manyHosts: Figure = (run) => {
  let log = 0;
  return costsBySize(run, 'hosts in the log', SIZES, async (size) => {
    const path = join(run.folder, `${log++}.ledger`);
    const costs = new Map<string, number>();
    const store = openSqliteStore(path);
    const appended = await cpuSecondsOf(async () => {
      for (let host = 0; host < size; host++) await appendTo(store, events, `host-${host}`);
    });
    costs.set('append to all', appended);
    costs.set('append to one more', await cpuSecondsOf(() => appendTo(store, events, 'last')));
    await store.close();
    const options = { host: 'host-0' };
    costs.set(
      'open and table of one',
      await meanSeconds(async () => {
        await using ledger = await openLedger(path, options);
        return JSON.stringify(ledger.at('end').table());
      }),
    );
    await using ledger = await openLedger(path, options);
    costs.set('verify one, and list all', await meanSeconds(() => ledger.verify()));
    costs.set('examine the files', await meanSeconds(async () => ledger.examine()));
    return costs;
  });
};

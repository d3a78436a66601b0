/** Every figure is measured, if only on a short log. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostKinds } from '../../bench/hosts.ts';
import { temporaryFolder } from '../log/folder.ts';
import { natsServer } from '../log/jetstream/cluster.ts';
import { bench, benchFolder } from './bench.ts';

const dir = temporaryFolder();

const files = () =>
  ['results.json', 'results.md', 'cost.svg'].map((name) => {
    const isThere = readdirSync(benchFolder).includes(name);
    return isThere ? readFileSync(join(benchFolder, name), 'utf8') : null;
  });

test('each figure is a row beside its peer or its limit, and no file is left behind', () => {
  const before = files();
  const [heading, ...rows] = bench(dir).trimEnd().split('\n');
  expect(heading).toMatch(/^figure +host +events +ours +beside +peer +ratio +target$/);
  const verdict = '(reached|missed)$';
  const ofEachHost = (row: string) =>
    hostKinds.map((host) => row.replace('HOST', `${host} +${host === 'whole' ? '10k' : '1k'}`));
  for (const row of [
    ...ofEachHost(`^the table at a random position, p99 +HOST .* the limit +1 ms .* ${verdict}`),
    ...ofEachHost(`^who holds a group .*, p99 +HOST .* the limit +1 ms .* ${verdict}`),
    ...ofEachHost(`^cause, blocker and wouldPassAfter .*, p99 +HOST .* limit +1 ms .* ${verdict}`),
    ...ofEachHost('^cause, blocker and wouldPassAfter .*, share of those over 1 ms +HOST .*%'),
    ...ofEachHost(`^because of a refusal, .*, p99 +HOST .* the limit +20 ms .* ${verdict}`),
    ...ofEachHost('^why an attempt was refused, p99 +HOST .* ms'),
    `^cause, .* refusal, p50, as a multiple of that at 1k +boot unseen +10k .* 1.2x .* ${verdict}`,
    '^refusals whose wouldPassAfter is played, not read +boot unseen +1k .*%',
    ...ofEachHost(`^why a bind was refused, the longest +HOST .* 1000 ms .* ${verdict}`),
    ...ofEachHost(
      `^the kind and file of an owner .*, p50 +HOST .* SQLite over .* <= 2 +${verdict}`,
    ),
    ...ofEachHost(`^the kind and file of an owner .*, p99 +HOST .* the limit +1 ms .* ${verdict}`),
    `^the kind and file of an owner .* as a multiple of that at 1k +whole .* 1.1x .* ${verdict}`,
    `^the table of 40 groups, p99 .* the limit +1 ms .* ${verdict}`,
    `^the table of 40 groups, 4000 processes .* that with 1000 .* the limit +4x .* ${verdict}`,
    `^start of table on a small log, from the package, CPU time .* a bare Node .* ${verdict}`,
    '^start of table on a small log, from the checkout, CPU time .* a bare Node .* ms',
    ...ofEachHost(
      `^cold open and table, with the start of node +HOST .* limit +0.5 s .* ${verdict}`,
    ),
    ...ofEachHost('^cold open and table +HOST .* the full replay .* s '),
    ...ofEachHost('^cold open and why, with the start of node +HOST .* s'),
    ...ofEachHost(
      `^memory at most, on the first opening +HOST .* the limit +1000 MB .* ${verdict}`,
    ),
    ...ofEachHost(`^memory at most, while answering +HOST .* the limit +400 MB .* ${verdict}`),
    ...ofEachHost(`^memory at most, .* as the command line +HOST .* limit +400 MB .* ${verdict}`),
    ...ofEachHost(`^index built +HOST .* rows read, hashed and parsed .* s .* ${verdict}`),
    `^verify +whole +10k .* rows read, hashed and parsed .* s .*<= 25 +${verdict}`,
    `^verify +short boots +1k .* rows read, hashed and parsed .* s .*<= 10 +${verdict}`,
    `^verify, as a multiple of that at 1k +boot unseen +10k .* the limit +11.2x .* ${verdict}`,
    `^verify of an event with 4096 groups, .* that with 64 .* the limit +1.52x .* ${verdict}`,
    `^verify of an event with 4096 devices, .* the limit +1.52x .* ${verdict}`,
    `^verify of an event with 4096 processes, .* the limit +1.52x .* ${verdict}`,
    "^events judged for the first time .* XState's transition\\(\\) for the tables .*/s",
    '^events judged for the first time .* an XState actor for each machine .*/s',
    `^operations simulated on one core .* the limit +100000/s .* ${verdict}`,
    ...ofEachHost(
      `^events replayed from segments +HOST .* to the same table .*/s.* >= 0.4 +${verdict}`,
    ),
    '^events replayed, segments read from files +whole +10k .* a fold over JSON lines .*/s',
    '^events replayed, segments read from files +whole +10k .* a fold over rows of node:sqlite .*/s',
    ...hostKinds.map((host) => `^durable append, one at a time +${host} .* ${verdict}`),
    ...hostKinds.map((host) => `^64 concurrent durable appends .* ${host} .* ${verdict}`),
    ...(natsServer === undefined
      ? []
      : [
          `^events appended to JetStream, 1 in a message .* the bare client, .* ${verdict}`,
          `^events appended to JetStream, 1000 in a message .* the bare client, .* ${verdict}`,
          `^events read from JetStream, 1 in a message .* the bare client, .* ${verdict}`,
          `^events read from JetStream, 1000 in a message .* the bare client, .* ${verdict}`,
          `^events pushed from a file to JetStream .* the bare client, .* ${verdict}`,
          '^memory of a server with the connections of 20 hosts .* MB',
          '^disk of a server for 400 events of 20 hosts, 1 in a message .* MB',
        ]),
    `^lines of strace imported on one core .* the limit +300000/s .* ${verdict}`,
    '^lines of strace imported on one core .* a bare split into lines .*/s',
    `^lines without a word of VFIO passed over .* a read in chunks, .* >= 0.25 +${verdict}`,
    '^10000 lines, strace of every call, to a durable log and its index .* a bare split .* s',
    '^10000 lines, strace of VFIO calls alone, events judged and indexed .* s',
    `^memory at most, import of a stream of strace, 20 MB .* the limit +300 MB .* ${verdict}`,
    `^memory at most, import of zeros in zstd, 40 MB .* the limit +300 MB .* ${verdict}`,
    `^memory at most, import of one line, 10 MB .* the limit +300 MB .* ${verdict}`,
    '^append to all, 5 hosts in the log .* ms',
    ...[
      'open and table of one, exponent in hosts in the log',
      'judge and index, exponent in living processes',
      'who of a process, exponent in living processes',
      'table, exponent in devices',
      'import of a listing, exponent in listed devices',
      'why, exponent in forks of the owner',
      'why, exponent in forks, each of the child before',
      'history of the device, exponent in events of one device',
    ].map((figure) => `^${figure} .* the limit +1.1 .* <= 1 +${verdict}`),
  ]) {
    expect(rows).toContainEqual(expect.stringMatching(row));
  }
  expect(readdirSync(dir)).toEqual([]);
  // Only a full run leaves a page and a chart.
  expect(files()).toEqual(before);
});

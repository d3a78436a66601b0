import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LedgerEvent } from '../../events/vocabulary.ts';
import { openLedger } from '../../ledger.ts';
import { temporaryFolder } from '../log/folder.ts';
import { hostTopology, run, twoContexts } from './program.ts';

const folder = temporaryFolder();
const untimed = join(folder, 'untimed.ledger');
const timed = join(folder, 'timed.ledger');

/** When the first event was; an event every ten minutes, and the last one without a time. */
const begun = new Date(Date.now() - 36_000e3);
const timeAt = (position: number): string =>
  `${new Date(begun.getTime() + position * 600e3).toISOString().slice(0, -1)}000Z`;
let last = 0;

const ask = (log: string, ...args: readonly string[]) => run([...args, '--log', log]);

beforeAll(async () => {
  await run(['simulate', '--topology', hostTopology, '--log', untimed, twoContexts]);
  const simulated = await openLedger(untimed, { readOnly: true });
  const ledger = await openLedger(timed);
  last = simulated.head.position;
  const events = simulated.events.map(({ type, data, id, position }) => {
    return { type, data, id, time: position === last ? null : timeAt(position) } as LedgerEvent;
  });
  await ledger.append(-1, events);
  await ledger.close();
  await simulated.close();
});

/** What is said of a log that ended some hours ago. */
const ended = () =>
  `vfio-ledger: the log ends at position ${last}, ${timeAt(last - 1)}: nothing is known after that\n`;

describe.concurrent('moments', () => {
  test.each([['--at', '-400m'], ['--at=-400m']])(
    '%s %s is a time before now',
    async (...option) => {
      const { out, err, code } = await ask(timed, 'table', ...option);
      expect({ err, code }).toEqual({ err: '', code: 0 });
      // The clock of the program is a little later than that of the test.
      expect(out).toMatch(new RegExp(`^at position 20, ${timeAt(20)}\n`));
    },
  );

  test('a time before now is an operand, and after -- as well', async () => {
    const { out, err, code } = await ask(timed, 'diff', '-400m', 'now', '--json');
    expect({ err, code }).toEqual({ err: ended(), code: 0 });
    expect(JSON.parse(out)).toMatchObject({
      from: 20,
      fromTime: timeAt(20),
      to: last,
      toTime: null,
      logEnds: { position: last, time: timeAt(last - 1) },
    });
    const { changes } = JSON.parse(out) as { changes: { position: number; time: string }[] };
    expect(changes.length).toBeGreaterThan(0);
    for (const { position, time } of changes) expect(time).toBe(timeAt(position));
    expect(await run(['diff', '--json', '--log', timed, '--', '-400m', 'now'])).toMatchObject({
      out,
    });
  });

  test('a time of day is one on the day of the last event', async () => {
    const [day, ofDay] = [timeAt(last - 1).slice(0, 10), timeAt(last - 1).slice(11, 19)];
    const { out } = await ask(timed, 'table', '--at', ofDay);
    const same = await ask(timed, 'table', '--at', `${day}T${ofDay}Z`);
    expect(out).toBe(same.out);
  });

  test.each([
    ['table', '--at', 'now'],
    ['who', 'gpu', '--at', '2999-01-01'],
    ['who', '--orphans', '--at', 'now'],
    ['who', 'gpu', '--holdings', '--at', 'now'],
    ['why', 'gpu', '--at', 'now'],
    ['log', '--from', '2999-01-01'],
    ['log', 'gpu', '--to', 'now'],
    ['diff', 'start', 'now'],
  ])('%s %s %s says that nothing is known after the end', async (...args) => {
    expect(await ask(timed, ...args)).toMatchObject({ err: ended(), code: 0 });
    const { out } = await ask(timed, ...args, '--json');
    const answer = JSON.parse(out) as object;
    const logEnds = { position: last, time: timeAt(last - 1) };
    if (!Array.isArray(answer)) expect(answer).toMatchObject({ logEnds });
  });

  test.each([
    ['table', '--at', 'end'],
    ['log', '--to', '-400m'],
    ['why', 'gpu'],
  ])('%s %s %s says nothing of it', async (...args) => {
    expect(await ask(timed, ...args)).toMatchObject({ err: '', code: 0 });
  });

  test.each([
    [untimed, ['table', '--at', 'now'], "'now' cannot be mapped to a position"],
    [untimed, ['table', '--at', '-5m'], "'-5m' cannot be mapped to a position"],
    [untimed, ['table', '--at', '12:03'], "'12:03' cannot be mapped to a position"],
    [timed, ['table', '--at', '2026-02-30'], "'2026-02-30' is not a position"],
    [timed, ['table', '--at', '-5w'], "option '--at' needs a value"],
    [timed, ['log', '--from', '3', '--to', '2'], '3 is after 2'],
    [timed, ['log', '--from', 'now', '--to', '-1h'], 'now is after -1h'],
    [timed, ['diff', 'end', 'start'], 'end is after start'],
    [timed, ['why', '26'], 'group 26 is g26'],
    [timed, ['who', 'gup'], 'nearest is gpu'],
    [timed, ['table', '--host', 'hots'], "holds no host 'hots'; nearest is host"],
    [timed, ['bisect', '--invariant', 'owner-is-claimd'], 'did you mean owner-is-claimed?'],
    [timed, ['replay', '--profile', 'linux-6.11'], 'did you mean linux-6.1'],
    [timed, ['tabel'], 'did you mean table?'],
    [timed, ['rules', 'bnid'], 'did you mean bind?'],
  ])('in %s, %j is a bad request', async (log, args, message) => {
    const { code, out, err } = await ask(log, ...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });

  test('history says when an interval ended, and how long it lasted', async () => {
    const { out } = await ask(timed, 'history', 'gpu');
    expect(out.split('\n')[0]).toMatch(/^FROM +TIME +TO +TIME +FOR +OWNER/);
    expect(out).toContain(`10     ${timeAt(10)}  25  ${timeAt(25)}  2 h 30 min  iommufd f8`);
  });
});

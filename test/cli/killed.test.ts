/** Verbs that are ended in the middle of a commit: nothing is half, and the next run mends what is left. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { NotALogError, openLedger, sealLog } from '../../ledger.ts';
import { openSqliteStore } from '../../log/sqlite.ts';
import { start } from '../log/children.ts';
import { temporaryFolder } from '../log/folder.ts';
import { copiedHost } from '../support/copied-host.ts';
import { main, root, run } from './program.ts';

const folder = temporaryFolder();
const evidence = join(root, 'examples/incident.truth.jsonl');
const host = copiedHost(join(folder, 'host'), {
  devices: [{ device: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio0' }],
  processes: [{ pid: 90, comm: 'old-vmm', descriptors: { 5: '/dev/iommu' } }],
});

/** A module that sends its process a signal before its `nth` COMMIT, and waits to be ended. */
function endAt(nth: number, signal: NodeJS.Signals): string {
  const text = `
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
    const { exec } = DatabaseSync.prototype;
    let commits = 0;
    DatabaseSync.prototype.exec = function (sql) {
      if (sql === 'COMMIT' && ++commits === ${nth}) {
        process.kill(process.pid, '${signal}');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20000);
      }
      return exec.call(this, sql);
    };`;
  return `data:text/javascript,${encodeURIComponent(text)}`;
}

async function eventsIn(log: string): Promise<number> {
  try {
    const ledger = await openLedger(log, { readOnly: true });
    const { faults } = ledger.verify();
    const { faults: damage } = await ledger.examine();
    await ledger.close();
    expect([faults, damage]).toEqual([[], []]);
    return ledger.length;
  } catch (error) {
    expect(error).toSatisfy((found) => found instanceof NotALogError && found.isUnbegun);
    return 0;
  }
}

/** As COMMIT ends: the first creates the tables of a log, or of the next file of one. */
const ended = [
  ['SIGTERM', 1, ['import', evidence]],
  ['SIGINT', 2, ['import', evidence]],
  ['SIGTERM', 2, ['snapshot', '--root', host]],
  ['SIGHUP', 1, ['seal']],
  ['SIGTERM', 2, ['seal']],
] as const;

describe.concurrent('a verb that is ended by a signal as it commits', () => {
  test.each(ended)('%s at commit %i of %j', async (signal, commit, args) => {
    const place = join(folder, [signal, commit, args[0]].join('-'));
    mkdirSync(place);
    const log = join(place, 'host.ledger');
    if (args[0] === 'seal') await run(['import', '--log', log, evidence]);
    const before = await eventsIn(log);
    const words = [...args, '--log', log];
    const child = start('--import', [endAt(commit, signal), main, ...words], '');
    expect(await child.ended).toEqual({ err: '', end: signal });
    expect(await eventsIn(log)).toBe(before);
    const again = await run(words);
    expect(again).toMatchObject({ code: 0, err: '' });
    expect(await eventsIn(log)).toBeGreaterThanOrEqual(Math.max(before, 1));
    const files = readdirSync(place).toSorted();
    expect(files).toEqual(['host.ledger', ...(args[0] === 'seal' ? ['host.ledger.0002'] : [])]);
  });
});

describe('a log that a killed import has left half-made', () => {
  /** The pages of a new log, of which some were written, and the journal of that. */
  let pages = Buffer.alloc(0);
  let size = 0;
  const journal = Buffer.alloc(512);

  beforeAll(async () => {
    const log = join(folder, 'whole.ledger');
    await openSqliteStore(log).close();
    pages = readFileSync(log);
    size = pages.readUInt16BE(16);
    journal.write('d9d505f920a163d7000000000000000100000000', 'hex');
    journal.writeUInt32BE(512, 20);
    journal.writeUInt32BE(size, 24);
  });

  test.each([0, 1, 2])('with %i pages is made by the next one', async (written) => {
    const log = join(folder, `half-${written}.ledger`);
    writeFileSync(log, pages.subarray(0, written * size));
    writeFileSync(`${log}-journal`, journal);
    const { code, err } = await run(['import', '--log', log, evidence]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(await eventsIn(log)).toBe(32);
    expect(existsSync(`${log}-journal`)).toBe(false);
  });

  test('but a later file that is empty is damage, and not begun again', async () => {
    const log = join(folder, 'later.ledger');
    await run(['import', '--log', log, evidence]);
    sealLog(log);
    writeFileSync(`${log}.0002`, '');
    const { code, err } = await run(['import', '--log', log, evidence]);
    expect({ code, err }).toMatchObject({ code: 3, err: expect.stringContaining('is empty') });
    expect(readFileSync(`${log}.0002`)).toHaveLength(0);
  });
});

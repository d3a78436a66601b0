import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLedger } from '../../ledger.ts';
import { temporaryFolder } from '../log/folder.ts';
import { closed } from '../log/sample.ts';
import { attached, bound, deviceOpened, opened, tracerLine } from '../recorder/tracer-scripts.ts';
import { copiedHost } from '../support/copied-host.ts';
import { run } from './program.ts';

const folder = temporaryFolder();
const host = copiedHost(join(folder, 'host'), {
  devices: [{ device: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio0' }],
});
const tracer = (name: string, then: string) =>
  tracerLine(join(folder, name), [attached, opened, deviceOpened, bound], then);

async function headOf(path: string): Promise<string> {
  await using ledger = await openLedger(path, { readOnly: true });
  return `${ledger.head.position}:${ledger.head.hash}`;
}

// They wait for recordings to end.
describe.concurrent('record --to', () => {
  const record = async (name: string, to: string, then = 'sleep 60') => {
    const log = join(folder, `${name}.ledger`);
    const args = ['--log', log, '--to', to, '--for', '3', '--json'];
    const shows = tracer(name, then);
    return { log, ...(await run(['record', '--root', host, ...args, '--tracer', shows])) };
  };

  test('ships what it records, to the last event', async () => {
    const to = join(folder, 'shipped.ledger');
    const { log, code, err, out } = await record('ships', to);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { appended, shipped } = JSON.parse(out) as { appended: number; shipped: unknown };
    expect(shipped).toEqual([{ host: 'host', shipped: appended, head: await headOf(log) }]);
    expect(await headOf(to)).toBe(await headOf(log));
  });

  test('records while the other log is not there, says so once, and ships later', async () => {
    const later = join(folder, 'later');
    const to = join(later, 'shipped.ledger');
    const { log, code, err } = await record('waits', to, `sleep 2; mkdir ${later}; sleep 60`);
    expect(code).toBe(0);
    expect(err).toMatch(/^vfio-ledger: nothing arrives at .* now, and it is tried again: .*\n$/);
    expect(await headOf(to)).toBe(await headOf(log));
  });

  test('keeps the recording if the other log has other events, and says what to do', async () => {
    const to = join(folder, 'other.ledger');
    await using other = await openLedger(to, { host: 'host' });
    await other.append(-1, [closed('own')]);
    const { log, code, err } = await record('differs', to);
    expect(code).toBe(4);
    expect(err).toMatch(/not all events were shipped to .*, push ships the rest: .* different/);
    expect(await headOf(log)).not.toMatch(/^-1:/);
    expect(await headOf(to)).toMatch(/^0:/);
  });

  test.each([
    ['nats://127.0.0.1:1/a/b', /has letters, digits, - and _/],
    ['other://127.0.0.1', /no engine for other:/],
  ])('gives up %s, which is no address, at once, and keeps the recording', async (to, words) => {
    const { log, code, err } = await record(`address-${to.slice(0, 4)}`, to);
    expect(code).toBe(2);
    expect(err).toMatch(/^vfio-ledger: not all events were shipped to [^\n]*\n$/);
    expect(err).toMatch(words);
    expect(await headOf(log)).not.toMatch(/^-1:/);
  });

  test('takes a log in a file', async () => {
    const args = ['--log', ':memory:', '--to', join(folder, 'x.ledger'), '--for', '1'];
    expect(await run(['record', '--root', host, ...args])).toMatchObject({ code: 2, out: '' });
  });
});

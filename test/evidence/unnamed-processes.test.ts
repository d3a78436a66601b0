/** A process that no line names has no pid in any answer, and `?` stands for it in text. */
import { describe, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../ledger.ts';
import { dataWords, eventShown } from '../../words/event-data.ts';

const DEVICE = '0000:81:00.0';
const INVENTED = /\b4(?:19430[5-9]|1943[1-9]\d|194[4-9]\d\d|19[5-9]\d{3}|[2-9]\d{5})\b|\b5\d{6}\b/;

async function imported(...lines: readonly string[]): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.import(lines.join('\n'));
  return ledger;
}

const refusals = (ledger: Ledger) => ledger.log({ refused: true });

describe('a refusal that a program tells of', () => {
  test.each([
    ['open_group', 'EAL: Cannot open /dev/vfio/61: Device or resource busy', undefined],
    ['get_device', `vfio ${DEVICE}: error getting device from group 61: No such device`, 'qemu'],
    ['set_container', `vfio ${DEVICE}: group 61 is not viable`, 'qemu'],
  ])('%s: no pid, but the name where one stands', async (operation, line, comm) => {
    const ledger = await imported(line);
    const [refusal] = refusals(ledger);
    expect(refusal?.data).toMatchObject({ operation, pid: null });
    expect(refusal?.data).toEqual(
      comm === undefined
        ? expect.not.objectContaining({ comm: expect.anything() })
        : expect.objectContaining({ comm }),
    );
    expect(JSON.stringify([...ledger.each()])).not.toMatch(INVENTED);
    expect([...ledger.each('process.found')]).toEqual([]);
    expect(dataWords(refusal!)).toContain('pid=?');
    expect(ledger.explain(ledger.why(refusal!.position))).toContain(`${comm ?? '?'} `);
    expect(ledger.verify().faults).toEqual([]);
  });

  test('with a pid keeps it', async () => {
    const ledger = await imported(
      '2026-03-04T05:06:07Z vmm[7]: Cannot open /dev/vfio/61: Device or resource busy',
    );
    expect(refusals(ledger)[0]?.data).toMatchObject({ pid: 7 });
  });
});

test('a holder that no line names is null, in JSON and as ? in text', async () => {
  const ledger = await imported(
    'vfio-device-syspath: /sys/devices/pci0000:80/0000:80:01.0/0000:81:00.0',
  );
  const who = ledger.who(DEVICE);
  expect(who.holders).toMatchObject([{ pid: null, comm: null }]);
  expect(JSON.stringify([who, ledger.at('end').table(), ledger.history(DEVICE)])).not.toMatch(
    INVENTED,
  );
  const events = [...ledger.each()];
  expect(JSON.stringify(events.map(eventShown))).not.toMatch(INVENTED);
  expect(events.map(dataWords).join('\n')).not.toMatch(INVENTED);
  const text = events.map((event) => ledger.describe(event)).join('\n');
  expect(text).toContain('? opened device');
  expect(text).not.toMatch(INVENTED);
});

test('a process without a pid column is null in the answers of the library, too', async () => {
  const ledger = await imported(
    'openat(AT_FDCWD, "/dev/vfio/vfio", O_RDWR) = 3',
    'openat(AT_FDCWD, "/dev/vfio/12", O_RDWR) = 4',
    'ioctl(4, VFIO_GROUP_SET_CONTAINER, [3]) = 0',
    'fork() = 4711',
    'openat(AT_FDCWD, "/dev/vfio/12", O_RDWR) = -1 EBUSY (Device or resource busy)',
  );
  const opened = ledger.log().find(({ type }) => type === 'group.opened');
  expect(opened?.data).toMatchObject({ pid: null, fd: 4 });
  expect(ledger.log({ refused: true })).toMatchObject([{ data: { pid: null } }]);
  expect(ledger.bisect({ where: 'group 12 owner.kind = container' })?.event.data).toMatchObject({
    pid: null,
  });
  expect(JSON.stringify(ledger.log())).not.toMatch(INVENTED);
  expect(ledger.describe(opened!)).toContain('? opened group 12');
});

test('a waiter that no line names', async () => {
  const ledger = await imported(`[  1.5] vfio-pci ${DEVICE}: Relaying device request to user (#0)`);
  expect(ledger.who(DEVICE).waiters).toMatchObject([{ pid: null, comm: null }]);
});

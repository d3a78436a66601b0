import { describe, expect, test } from 'vitest';
import type { DevicePort } from '../../events/vocabulary.ts';
import { openLedger, type Ledger } from '../../ledger.ts';

const BDF = '0000:01:00.0';

/** A host with one device behind a port. `port` undefined: the topology does not say. */
function topologyWith(model: string | null, port: DevicePort | undefined) {
  const device = { name: 'd0', bdf: BDF, model, group: 1, driver: 'vfio-pci', cdev: 'vfio0' };
  return { kernel: '7.3.4', iommufd: true, devices: [{ ...device, port }], groups: {} };
}

const lines = ['open_iommufd I', 'open_cdev A d0', 'bind A I', 'hot_reset A'];

async function resetOf(model: string, port?: DevicePort): Promise<string> {
  await using ledger = await openLedger(':memory:');
  const answers = await ledger.simulate(lines.join('\n'), { topology: topologyWith(model, port) });
  const { errno, cause } = answers.at(-1)!;
  return errno === undefined ? 'ok' : `${errno} ${cause}`;
}

const refused = 'ENOTTY not-ownership';

describe.each(['e1000e', 'nvme', 'igb'])('the bus reset of %s', (model) => {
  test.each([
    ['root', refused],
    ['downstream', 'ok'],
    [undefined, refused],
  ] as const)('behind port %s: %s', async (port, end) => {
    expect(await resetOf(model, port)).toBe(end);
  });
});

test.each([
  ['bridge', 'ok'],
  ['downstream', 'ok'],
  ['root', 'ok'],
  [undefined, 'ok'],
] as const)('of a conventional device behind port %s: %s', async (port, end) => {
  expect(await resetOf('edu', port)).toBe(end);
});

/** A log of what evidence shows of a hot reset that was refused behind a root port. */
async function shown(port?: DevicePort): Promise<Ledger> {
  await using simulated = await openLedger(':memory:');
  await simulated.simulate(lines.join('\n'), { topology: topologyWith('nvme', 'root') });
  const evidence = { source: 'x', line: 1, certainty: 'observed' };
  const events = simulated.events.map((event) => {
    if (event.type === 'host.booted')
      return { ...event, data: { ...event.data, simulated: false } };
    if (event.type !== 'device.added') return event;
    const { port: _said, ...data } = event.data;
    return { ...event, data: { ...data, ...(port !== undefined && { port }), evidence } };
  });
  const told = [...events, { end: { events: events.length } }];
  const ledger = await openLedger(':memory:');
  await ledger.import(told.map((line) => JSON.stringify(line)).join('\n'), { format: 'events' });
  return ledger;
}

test.each([
  [undefined, 'unknown'],
  ['root', 'not-ownership'],
  ['downstream', 'not-ownership'],
] as const)('in evidence, a port %s gives the cause %s', async (port, cause) => {
  const ledger = await shown(port);
  expect(ledger.why(ledger.events.at(-1)!.position)).toMatchObject({ errno: 'ENOTTY', cause });
});

test('the port of a topology is in the log, and only if the topology says it', async () => {
  const portOf = async (port?: DevicePort) => {
    await using ledger = await openLedger(':memory:');
    await ledger.simulate('open_iommufd I', { topology: topologyWith('igb', port) });
    return ledger.events.flatMap(({ type, data }) => (type === 'device.added' ? [data.port] : []));
  };
  expect(await portOf('downstream')).toEqual(['downstream']);
  expect(await portOf()).toEqual([undefined]);
});

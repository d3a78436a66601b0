import { expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../ledger.ts';
import { recording } from '../support/truth.ts';

const { topology } = recording('linux-7.3', 'questions');
const profile = 'linux-7.3';

async function played(...lines: readonly string[]) {
  const ledger = await openLedger(':memory:');
  const answers = await ledger.simulate(lines.join('\n'), { profile, topology });
  return { ledger, answers, ends: answers.map(({ errno = 'ok' }) => errno) };
}

const stateOf = (ledger: Ledger, name: string): string | undefined =>
  ledger
    .at('end')
    .table()
    .devices.find((one) => one.name === name)?.state;

const bound = ['open_iommufd I', 'open_cdev A d0', 'bind A I', 'alloc_ioas I X'];
const table = 'alloc_hwpt I A X H flags=8';
const onOne = 'attach A H argsz=16 flags=1 pasid=1';

test('an attach with a PASID is an event with it, and leaves the device bound', async () => {
  const { ledger, ends } = await played(...bound, table, onOne);
  expect(ends).toEqual(ends.map(() => 'ok'));
  expect(ledger.events.at(-1)).toMatchObject({
    type: 'device.attached',
    data: { pt: 3, pasid: 1 },
  });
  expect(ledger.events.at(-2)).toMatchObject({ type: 'hwpt.allocated', data: { flags: 8 } });
  expect(stateOf(ledger, 'd0')).toBe('bound');
  expect(ledger.describe(ledger.events.at(-1)!)).toBe(
    'P1[101] attached PASID 1 of the device of fd 4 to page table 3',
  );
  expect(ledger.verify().faults).toEqual([]);
});

test('an attach with PASID 0 attaches the device, and only a detach with PASID 0 ends that', async () => {
  const zero = 'attach A H argsz=16 flags=1 pasid=0';
  const kept = await played(...bound, table, zero, 'detach A');
  expect(stateOf(kept.ledger, 'd0')).toBe('attached');
  const ended = await played(...bound, table, zero, 'detach A', 'detach A argsz=12 flags=1');
  expect(stateOf(ended.ledger, 'd0')).toBe('bound');
});

test('the file of the device is what keeps a page table in use, until its last PASID is gone', async () => {
  const tries = ['destroy I H', 'fork P2', 'exit', '@P2 destroy I H', '@P2 close A'];
  const { ledger, answers, ends } = await played(
    ...bound,
    table,
    onOne,
    ...tries,
    '@P2 destroy I H',
  );
  expect(ends.slice(6)).toEqual(['EBUSY', 'ok', 'ok', 'EBUSY', 'ok', 'ok']);
  const refused = answers[6]!.position;
  expect(ledger.why(refused)).toMatchObject({
    cause: 'object-in-use',
    because: [answers[5]!.position],
    blocker: { kind: 'device', holders: [{ comm: 'P1', fd: 4 }] },
  });
});

test('evidence that shows the flag and no PASID neither moves the device nor judges a refusal', async () => {
  const { ledger: simulated } = await played(...bound, table);
  const events = simulated.events.map(({ id, time, schema, type, data }, position) => {
    const asSeen = type === 'host.booted' ? { ...data, simulated: false } : data;
    return { position, id, time, schema, type, data: asSeen };
  });
  const evidence = { source: 't', line: 1, certainty: 'observed' };
  const seen = [
    {
      type: 'device.attached',
      data: { pid: 101, fd: 4, pt: 3, hwpt: null, pasid: null, evidence },
    },
    {
      type: 'operation.refused',
      data: {
        operation: 'attach',
        errno: 'EINVAL',
        pid: 101,
        fd: 4,
        pt: 2,
        flags: 1,
        pasid: null,
        evidence,
      },
    },
  ].map((event, at) => {
    const position = events.length + at;
    return { ...event, position, id: `seen-${at}`, time: null, schema: events[0]!.schema };
  });
  const ledger = await openLedger(':memory:');
  const lines = [...events, ...seen, { end: { events: events.length + seen.length } }];
  await ledger.import(lines.map((line) => JSON.stringify(line)).join('\n'), { format: 'events' });
  expect(stateOf(ledger, 'd0')).toBe('bound');
  expect(ledger.why(events.length + 1)).toMatchObject({ cause: 'unknown' });
  expect(ledger.verify().faults).toEqual([]);
});

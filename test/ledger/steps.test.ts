import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../ledger.ts';
import { temporaryFolder } from '../log/folder.ts';

const root = join(import.meta.dirname, '../..');
const folder = temporaryFolder();
const evidence = readFileSync(join(root, 'examples/incident.truth.jsonl'), 'utf8');
const more = readFileSync(join(root, 'examples/second-test.strace'), 'utf8');

let ledger: Ledger;

beforeAll(async () => {
  ledger = await openLedger(':memory:');
  await ledger.import(evidence, { format: 'truth' });
});

test('a walk forwards gives every event, with the host before and after it', () => {
  const steps = [...ledger.steps()];
  expect(steps.map(({ event }) => event)).toEqual(ledger.events);
  for (const { event, before, after } of steps) {
    const before1 = event.position === 0 ? 'start' : event.position - 1;
    expect(before.table()).toEqual(ledger.at(before1).table());
    expect(after.table()).toEqual(ledger.at(event.position).table());
  }
});

test('a step says what the machines took: the states that the table has, in their order', () => {
  const step = ledger.steps().to(24);
  expect(step?.event.type).toBe('device.bound');
  expect(step?.transitions).toEqual([
    { machine: 'device', id: '0000:00:02.0', event: 'device.bound', from: 'open', to: 'bound' },
    { machine: 'group', id: '1', event: 'device.bound', from: 'unowned', to: 'iommufd' },
    { machine: 'deviceFile', id: 'f23', event: 'device.bound', from: 'unbound', to: 'bound' },
    { machine: 'iommufd', id: 'f22', event: 'device.bound', from: 'plain', to: 'plain' },
  ]);
  // The close of a device releases its file, the iommufd that only this file kept, and the group.
  const closed = ledger
    .steps()
    .to(30)
    ?.transitions?.map(({ machine, to }) => `${machine} ${to}`);
  expect(closed).toContain('group unowned');
  expect(ledger.steps().to(29)?.transitions).toEqual([]);
});

test('a walk backwards gives the same steps, and each end is left by the other way', () => {
  const steps = ledger.steps();
  const taken = (step: ReturnType<typeof steps.forward>) =>
    step === null ? null : [step.event.position, step.transitions];
  const there = [...steps].map(taken);
  expect(steps.forward()).toBeNull();
  const back: unknown[] = [];
  for (let step = steps.back(); step !== null; step = steps.back()) back.push(taken(step));
  expect(back.toReversed()).toEqual(there);
  expect(steps.back()).toBeNull();
  expect(steps.forward()?.event.position).toBe(0);
});

test('any walk stands where a list with an index would', () => {
  const { length } = ledger;
  const move = fc.oneof(
    fc.constant('forward' as const),
    fc.constant('back' as const),
    fc.integer({ min: -1, max: length - 1 }),
  );
  fc.assert(
    fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
      const [steps, other] = [ledger.steps(), ledger.steps()];
      let at = -1;
      for (const to of moves) {
        if (to === 'forward') at = Math.min(at + 1, length);
        else if (to === 'back') at = Math.max(at - 1, -1);
        else at = to;
        const named = to === -1 ? 'start' : to;
        const step =
          typeof named === 'string' && named !== 'start' ? steps[named]() : steps.to(named);
        expect(step?.event.position ?? null).toBe(at < 0 || at >= length ? null : at);
        other.forward();
        if (step === null || at === 0) continue;
        expect(step.before.moment.position).toBe(at - 1);
      }
    }),
    { numRuns: 50 },
  );
});

test('a cursor at the end walks on to events that the ledger has read since', async () => {
  const growing = await openLedger(':memory:');
  await growing.import(more, { format: 'strace' });
  const steps = growing.steps();
  const count = [...steps].length;
  expect(steps.forward()).toBeNull();
  await growing.noticeGap('the test has ended');
  expect(steps.forward()?.event).toMatchObject({ position: count, type: 'gap.noticed' });
});

test('the events of a what-if are steps, too', () => {
  const fork = ledger.at(29).fork();
  fork.attempt({ operation: 'close', pid: 101, fd: 4 });
  const step = fork.steps().to('end');
  expect(step?.event).toMatchObject({ position: 30, hash: null });
  expect(step?.before.group('1').owner.kind).toBe('iommufd');
  expect(step?.after.group('1').owner.kind).toBe('none');
});

test('util.inspect shows what an object is, in lines that a person reads', async () => {
  const path = join(folder, 'shown.ledger');
  const stored = await openLedger(path);
  expect(inspect(stored)).toBe(`Ledger of host 'host' in ${path}: 0 events`);
  await stored.close();
  expect(inspect(ledger)).toBe("Ledger of host 'host' in memory: 32 events, from position 0 to 31");
  const [title, , group] = inspect(ledger.at(24)).split('\n');
  expect(title).toBe('At position 24:');
  expect(group).toBe('  group 1   iommufd f22     P1[101] fd 3, 4');
  expect(inspect(ledger.at('start'))).toBe('Before the first event: no group');
  const steps = ledger.steps();
  expect(inspect(steps)).toBe('Steps: before the first event');
  expect(inspect(steps.to(24))).toBe(
    [
      'position 24: P1[101] bound the device of fd 4 to the iommufd of fd 3',
      '  device      0000:00:02.0  open -> bound       device.bound',
      '  group       1             unowned -> iommufd  device.bound',
      '  deviceFile  f23           unbound -> bound    device.bound',
      '  iommufd     f22           plain -> plain      device.bound',
    ].join('\n'),
  );
  expect(inspect(steps)).toBe('Steps: at position 24');
  const view = ledger.hostAt(24);
  expect(inspect(view)).toMatch(/^\{\n {2}isKnown: true,\n {2}groups: \[/);
  ledger.hostAt(3);
  expect(inspect(view)).toBe("{ code: 'stale-view' }");
  const fork = ledger.at(29).fork();
  fork.attempt({ operation: 'close', pid: 101, fd: 4 });
  expect(inspect(fork)).toBe(
    'What-if that forks a log after position 29: 1 event that did not happen',
  );
});

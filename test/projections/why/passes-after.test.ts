import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Fact, Placed } from '../../../events/vocabulary.ts';
import { readEvidence } from '../../../ledger.ts';
import { inTheCall } from '../../../projections/index/open-refusals.ts';
import { wouldPassAfter } from '../../../projections/why/counterfactual.ts';
import { explainRefusal } from '../../../projections/why/refusals.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { countOf, isCampaign, someOf } from '../../support/effort.ts';
import { calledHost, played } from '../../support/random-calls.ts';
import { placed, randomLogs, type Log } from '../../support/random-logs.ts';
import { firstSequences, recordings, textOf } from '../../support/truth.ts';
import { endlessHost, unseenCalls, unseenHost } from '../../support/unseen-hosts.ts';

const RUNS = countOf('logs with refusals', { test: 5, soak: 130, full: 4000 });
const done = { compared: 0, passed: 0, unsure: 0 };

/** Compares what the index says of every refusal with the history that is played again. */
function compareAll(log: Log, whole: number): void {
  const timeline = new Timeline({ whole });
  // In one segment, so that what it plays begins with the log, and rests on no other segment.
  const played = new Timeline();
  for (const event of log) {
    timeline.take(event);
    played.take(event);
  }
  for (const { type, data, position } of log) {
    // What a program concluded does not follow from the rules (`isMadeByEvents`).
    if (type !== 'operation.refused' || data.errno === null) continue;
    const refusal = timeline.refusalAt(position);
    // Without an errno it is a conclusion of a program: it does not say when the call passes.
    if (refusal === null || data.errno === null || inTheCall.has(refusal.cause)) continue;
    const { cause, blocker, isByTheRules } = refusal;
    const after = refusal.passesAfter();
    done.compared++;
    if (after === 'unsure') {
      done.unsure++;
      continue;
    }
    if (after !== null) done.passed++;
    const refused = { position, call: data, cause, blocker: blocker?.file ?? null };
    expect(after, JSON.stringify(data)).toBe(wouldPassAfter(played, refused));
    const before = timeline.playedAt(position - 1).judgeAs(data, cause);
    expect(isByTheRules).toBe(before?.cause === cause);
  }
}

/** The whole boots of a log, as logs of at least so many events. */
function* boots(facts: readonly Fact[], atLeast: number): Iterable<readonly Fact[]> {
  let from = 0;
  for (const [index, { type }] of facts.entries()) {
    if (type !== 'host.booted' || index - from < atLeast) continue;
    yield facts.slice(from, index);
    from = index;
  }
  yield facts.slice(from);
}

const whole = fc.constantFrom(1, 7, 64, 100_000);
const hosts = {
  'that were recorded': randomLogs.recorded,
  'that are busy': randomLogs.busy,
  'on which calls are made at random': calledHost({ min: 40, max: 250 }),
  'on which calls are made at random, whose boot nobody saw': unseenCalls,
  'whose boot nobody saw': unseenHost,
  'of which a trace misses ends': endlessHost,
  'that contradict the rules': randomLogs.contradictory,
};

test.each(Object.entries(hosts))(
  'the index answers as the history played again: hosts %s',
  (_, logs) => {
    fc.assert(fc.property(logs, whole, compareAll), { numRuns: RUNS });
  },
);

test.each(someOf(recordings(), 6))(
  'the index answers as the history played again: %s, %s, as the kernel answered',
  async (kernel, name) => {
    const text = textOf(kernel, name);
    const chunks = [isCampaign ? text : firstSequences(text, 20)];
    const collected = await readEvidence([{ name, chunks }]);
    // In parts, as what plays them again begins with the first event.
    for (const part of boots(await collected.events.all(), 100)) compareAll(placed(part), 64);
  },
);

/** Statements: the first call that is refused would pass after the last one. */
const mended = {
  'the iommufd of a closed file gets the page table': `open_iommufd I; open_cdev A d0; bind A I;
    attach A :2; close A; alloc_ioas I X; alloc_ioas I Y`,
  'a driver change that failed is collected': `open_iommufd I; open_cdev B d1; bind B I;
    open_cdev A d0; set_driver d0 e1000e; set_driver d2 none; close A; bg_wait`,
  'there is a driver change': 'bg_wait; open_cdev A d0; set_driver d0 none',
  'a device gets a VFIO driver': 'open_cdev A d3; set_driver d3 vfio-pci',
  'the owner goes after the files of the call': `@P2 open_iommufd I; @P2 open_cdev B d0; @P2 bind B I;
    open_iommufd I; open_cdev A d0; bind A I; close A; close I; open_container C; @P2 exec; @P2 exit`,
  'nothing is bound in an iommufd that is closed': `open_iommufd I; alloc_ioas I X; open_cdev A d0;
    bind A I; attach A X; destroy I X; close I; exit`,
  'the file of a group is closed': '@P2 open_group H d2; open_group G d2; @P2 exit',
  'a descriptor is opened': 'read :3; open_path A /dev/zero',
};

test.each(Object.entries(mended))('a refusal is mended: %s', (_, statements) => {
  const log = played(statements.split(';').map((line) => line.trim()));
  const refusal = log.find(({ type }) => type === 'operation.refused');
  for (const size of [1, 4, 100]) {
    const timeline = new Timeline({ whole: size });
    for (const event of log) timeline.take(event);
    const why = explainRefusal(timeline, refusal?.position ?? -1);
    expect(why.wouldPassAfter).toBe(timeline.head);
    compareAll(log, size);
  }
});

/** The events of a log that has only facts. */
const factsOf = (log: Log): readonly Fact[] => log as readonly Placed<Fact>[];

test('a call that lacks a page table outlives the device of its file', () => {
  const lacking = ['open_iommufd I', 'open_cdev A d0', 'bind A I', 'attach A :9', 'close A'];
  const after = ['open_container C', 'alloc_ioas I X', 'close C'];
  const facts = factsOf(played([...lacking, 'set_driver d0 none', ...after]));
  const unbound = facts.findIndex(({ type }) => type === 'driver.unbound');
  const removed: Fact = { type: 'device.removed', data: { device: '0000:01:00.0' } };
  const log = placed(facts.toSpliced(unbound + 1, 0, removed));
  const refusal = log.find(({ type }) => type === 'operation.refused')!;
  expect(refusal.data).toMatchObject({ operation: 'attach', errno: 'ENOENT' });
  for (const size of [1, 2, 100]) compareAll(log, size);
});

test('a call whose file is not shown waits for what any file of its process waits for', () => {
  const taken = ['@P2 open_iommufd I', '@P2 open_cdev B d0', '@P2 bind B I'];
  const own = ['open_cdev A d0', 'open_iommufd I', 'bind A I'];
  const seen = played([...taken, ...own, '@P2 exit', 'open_container C', 'close C']);
  const hidden = ({ type, data }: Fact): Fact =>
    type === 'operation.refused' && 'fd' in data
      ? { type, data: { ...data, fd: null } }
      : ({ type, data } as Fact);
  const log = placed(factsOf(seen).map(hidden));
  const refusal = log.find(({ type }) => type === 'operation.refused')!;
  const exit = log.find(({ type }) => type === 'process.exited')!;
  for (const size of [1, 4, 100]) {
    const timeline = new Timeline({ whole: size });
    for (const event of log) timeline.take(event);
    expect(timeline.refusalAt(refusal.position)?.passesAfter()).toBe(exit.position);
    compareAll(log, size);
  }
});

test('an unbind that ends with the own files of a call takes the container from its group', () => {
  const opened = 'open_container C; open_group G d2; set_container G C; set_iommu C 3';
  const blocked = 'get_device V G d2; set_driver d2 none; unset_container G; exit';
  const log = played([opened, blocked].join('; ').split('; '), 'linux-6.1');
  const refusal = log.findLast(({ type }) => type === 'operation.refused')!;
  expect(refusal.data).toMatchObject({ operation: 'unset_container', errno: 'EBUSY' });
  const timeline = new Timeline();
  for (const event of log) timeline.take(event);
  expect(explainRefusal(timeline, refusal.position).wouldPassAfter).toBe(null);
  compareAll(log, 64);
});

test('in a long boot, an unbind that waits for a file which a slice leaves out goes on', () => {
  const change = ['open_cdev A d2', 'set_driver d2 none', 'close A', 'bg_wait'];
  const back = ['set_driver d2 vfio-pci', 'bg_wait'];
  const dies = ['open_group G d2', 'open_container C', 'set_container G C', 'set_driver d2 none'];
  const busy = Array<string>(150).fill('open_container C; close C').join('; ').split('; ');
  const log = played([...change, ...back, ...busy, ...dies, 'unset_container G', back[0]!]);
  const refusal = log.findLast(({ type }) => type === 'operation.refused')!;
  expect(log.length).toBeGreaterThan(300);
  expect(refusal.data).toMatchObject({ operation: 'unset_container', errno: 'EINVAL' });
  const timeline = new Timeline();
  for (const event of log) timeline.take(event);
  expect(timeline.refusalAt(refusal.position)?.passesAfter()).toBe(null);
  compareAll(log, 64);
});

test('in a long boot, a driver change that was refused is not made by a slice', () => {
  const before = `set_driver d3 vfio-pci; @P2 open_iommufd I; @P2 open_cdev B d4; @P2 bind B I;
    open_cdev A d3; set_driver d3 e1000e; close A; bg_wait; @P2 close B; @P2 close I`;
  const busy = Array<string>(150).fill('open_container C; close C').join('; ');
  const then = `@P3 open_iommufd I; @P3 open_cdev B d4; @P3 bind B I; @P4 open_cdev D d4;
    @P5 open_group G d4; @P4 close D; @P3 close B`;
  const log = played(
    [before, busy, then]
      .join(';')
      .split(';')
      .map((line) => line.trim()),
  );
  const refusal = log.findLast(({ type }) => type === 'operation.refused')!;
  const timeline = new Timeline();
  for (const event of log) timeline.take(event);
  expect(explainRefusal(timeline, refusal.position).wouldPassAfter).toBe(timeline.head);
  compareAll(log, 64);
});

test('many of the refusals that were compared pass later, and few have to be played', () => {
  const { compared, passed, unsure } = done;
  const said = `${compared} refusals compared, ${passed} pass later, ${unsure} have to be played\n`;
  if (isCampaign) process.stdout.write(said);
  expect(passed).toBeGreaterThan(compared * 0.02);
  expect(unsure).toBeLessThan(compared * 0.03);
});

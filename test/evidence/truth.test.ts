import { describe, expect, test } from 'vitest';
import { openLedger, type RecordedEvent } from '../../ledger.ts';
import { someOf } from '../support/effort.ts';
import { kernelsAsked, recording, textOf } from '../support/truth.ts';

const factsOf = (events: readonly RecordedEvent[]) =>
  events.map(({ type, data }) =>
    type === 'host.booted' ? { type, boot: data.boot } : { type, data },
  );

describe('recorded answers', () => {
  const named = ['questions', 'drivers', 'kinds'].flatMap((name) =>
    kernelsAsked(name).map((profile) => [name, profile] as const),
  );
  test.each(someOf(named, 4))(
    '%s of %s import as the facts that a simulation of them gives',
    async (name, profile) => {
      const imported = await openLedger(':memory:');
      const report = await imported.import(textOf(profile, name));
      expect(report).toMatchObject({ skipped: 0, appended: imported.events.length, rejected: [] });

      const { topology, answers } = recording(profile, name);
      const lines: string[] = [];
      let seq = '';
      for (const answer of answers) {
        if (answer.seq !== seq) lines.push(`seq ${answer.seq}`);
        seq = answer.seq;
        lines.push(/^P\d$/.test(answer.p) ? `@${answer.p} ${answer.op}` : answer.op);
      }
      const simulated = await openLedger(':memory:');
      await simulated.simulate(lines.join('\n'), { topology, profile });
      expect(factsOf(imported.events)).toEqual(factsOf(simulated.events));
    },
  );

  test.each(someOf(kernelsAsked('questions'), 4))(
    'of %s agree with the rules, event by event',
    async (profile) => {
      const ledger = await openLedger(':memory:');
      await ledger.import(textOf(profile, 'questions'));
      expect(ledger.verify().faults).toEqual([]);
    },
  );
});

test('the rules of another kernel disagree with what one answered, and say where', async () => {
  const ledger = await openLedger(':memory:');
  await ledger.import(textOf('linux-6.1', 'questions'), { profile: 'linux-7.3' });
  const { faults } = ledger.verify();
  expect(faults.length).toBeGreaterThan(0);
  expect(faults.every(({ kind }) => kind === 'rules')).toBe(true);
  expect(faults.map(({ detail }) => detail)).toContain(
    'set_container got EINVAL; by linux-7.3 it would get EBADFD, wrong-file-kind',
  );
});

describe('importing', () => {
  const text = textOf('linux-7.3', 'questions');

  test('the same evidence twice adds nothing', async () => {
    const ledger = await openLedger(':memory:');
    const first = await ledger.import(text);
    const { head } = ledger;
    const second = await ledger.import(text);
    expect(second).toMatchObject({ appended: 0, skipped: first.appended });
    expect(ledger.head).toEqual(head);
  });

  test('evidence that has grown adds what is new, as if it had come at once', async () => {
    // Recordings grow by whole sequences: each of them is a boot.
    const half = text.slice(0, text.indexOf('{"seq":"k.'));
    const inTwo = await openLedger(':memory:');
    await inTwo.import(half);
    await inTwo.import(text);
    const atOnce = await openLedger(':memory:');
    await atOnce.import(text);
    expect(inTwo.head).toEqual(atOnce.head);
  });

  test('two recordings that begin alike and go on differently are both there, boots and all', async () => {
    const [topology = ''] = text.split('\n');
    const opened = '{"seq":"a","n":0,"p":"P1","op":"open_group G d0","rc":3}';
    const closed = '{"seq":"a","n":1,"p":"P1","op":"close G","rc":0}';
    const busy = '{"seq":"a","n":1,"p":"P2","op":"open_group H d0","rc":-1,"errno":"EBUSY"}';
    const ledger = await openLedger(':memory:');
    await ledger.import([topology, opened, closed].join('\n'));
    const second = await ledger.import([topology, opened, busy].join('\r\n'));
    expect(second.skipped).toBe(0);
    expect(ledger.verify().faults).toEqual([]);
    expect(ledger.why('g1').cause).toBe('group-already-open');
  });

  test('a kernel that no profile stands for has to be given one', async () => {
    const ledger = await openLedger(':memory:');
    const old = text.replace('7.3.4-oracle', '4.19.0');
    await expect(ledger.import(old)).rejects.toThrow("no profile for kernel '4.19.0'");
    await ledger.import(old, { profile: 'linux-7.3' });
    expect(ledger.verify().faults).toEqual([]);
  });

  test('line ends make no other evidence', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import(text);
    expect(await ledger.import(text.replaceAll('\n', '\r\n'))).toMatchObject({ appended: 0 });
  });

  test.each([
    ['a line that is no JSON', '{"seq":', /:2: not JSON/],
    [
      'an operation that is none',
      '{"seq":"a","n":0,"p":"P1","op":"steal A","rc":0}',
      /:2: unknown operation 'steal'/,
    ],
    ['a process that is none', '{"seq":"a","n":0,"p":"P9","op":"fds","rc":0}', /:2: p:/],
    [
      'a refusal without an errno',
      '{"seq":"a","n":0,"p":"P1","op":"open_iommufd I","rc":-1}',
      /:2: a refusal without an errno/,
    ],
    [
      'a topology without devices',
      '{"topology":{"kernel":"7.3","iommufd":true,"devices":[]}}',
      /:2: topology\.devices/,
    ],
  ])('%s takes nothing at all', async (_what, line, reason) => {
    const [topology = ''] = text.split('\n');
    const ledger = await openLedger(':memory:');
    await expect(ledger.import(`${topology}\n${line}\n`, { format: 'truth' })).rejects.toThrow(
      reason,
    );
    expect(ledger.events).toEqual([]);
  });

  test('what is of no known format says which are known', async () => {
    const ledger = await openLedger(':memory:');
    await expect(ledger.import('hello\n')).rejects.toThrow(
      /^text: no line says anything of VFIO; the formats are events, truth/,
    );
  });
});

/** A log is simulated or evidence: the other kind is refused, and nothing of it is recorded. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LedgerError, openLedger, type Ledger } from '../../ledger.ts';
import { run } from '../cli/program.ts';
import { temporaryFolder } from '../log/folder.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

const devices = [
  { name: 'gpu', bdf: '0000:3b:00.0', model: null, group: 26, driver: 'vfio-pci', cdev: 'vfio0' },
];
const topology = { kernel: '7.3.4', iommufd: true, devices };
const refusal = 'vmm: Cannot open /dev/vfio/26: Device or resource busy';
const truth = [
  JSON.stringify({ topology }),
  '{"seq":"s","n":0,"p":"P1","op":"open_group G gpu","rc":3}',
].join('\n');

async function simulated(): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.simulate('open_group G gpu', { topology });
  return ledger;
}

const exported = (ledger: Ledger) =>
  [...ledger.each()]
    .map((event) => JSON.stringify(event))
    .concat(JSON.stringify({ end: { events: ledger.length } }))
    .join('\n');

async function refusedBy(ledger: Ledger, act: () => Promise<unknown>): Promise<string> {
  const before = ledger.head;
  const error = await act().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  await ledger.refresh();
  expect(ledger.head).toEqual(before);
  expect(error).toBeInstanceOf(LedgerError);
  return `${(error as LedgerError).code}: ${(error as LedgerError).message}`;
}

describe('in the library', () => {
  test.each([
    ['a refusal', refusal],
    ['recorded answers', truth],
  ])('a log of a simulation takes no evidence: %s', async (_, text) => {
    const ledger = await simulated();
    const said = await refusedBy(ledger, async () => ledger.import(text));
    expect(said).toMatch(
      /^bad-request: text: it is evidence of a real host, and the log has a sim/,
    );
  });

  test('a log of evidence takes no simulation, played or exported', async () => {
    for (const text of [refusal, truth]) {
      const ledger = await openLedger(':memory:');
      await ledger.import(text);
      const played = await refusedBy(ledger, async () =>
        ledger.simulate('open_group G gpu', { topology }),
      );
      expect(played).toMatch(/^bad-request: the log has evidence of a real host/);
      const events = exported(await simulated());
      const read = await refusedBy(ledger, async () => ledger.import(events));
      expect(read).toMatch(/^bad-request: text: it is a simulation, and the log has evidence/);
    }
  });

  test('an import has one kind as well', async () => {
    const ledger = await openLedger(':memory:');
    const sources = [
      { name: 'events', chunks: [exported(await simulated())] },
      { name: 'text', chunks: [refusal] },
    ];
    const said = await refusedBy(ledger, async () => ledger.importSources(sources));
    expect(said).toMatch(/: it is .*, and (?:events|text) is /);
  });

  test('a simulation takes more of its own, and a copy of one is one', async () => {
    const ledger = await simulated();
    await ledger.simulate('open_group H gpu', { topology });
    const copy = await openLedger(':memory:');
    await copy.import(exported(ledger));
    expect(copy.head).toEqual(ledger.head);
    await copy.simulate('open_group I gpu', { topology });
    expect(copy.length).toBeGreaterThan(ledger.length);
  });

  test('a recorder does not write into a simulation', async () => {
    const ledger = await simulated();
    await ledger.noticeGap('the tracer is gone');
    async function* lines() {
      yield '900 1772600768.000000 openat(AT_FDCWD</>, "/dev/vfio/26", O_RDWR) = 3</dev/vfio/26>';
    }
    const followed = await refusedBy(ledger, async () =>
      ledger.follow(lines(), { format: 'strace' }),
    );
    expect(followed).toContain('a simulation');
  });
});

test('the verbs exit with 2, name the file, and change nothing', async () => {
  writeFileSync(at('topology.json'), JSON.stringify(topology));
  writeFileSync(at('refusal.txt'), refusal);
  const input = 'open_group G gpu\n';
  const simulate = async (log: string) =>
    run(['simulate', '--topology', at('topology.json'), '--log', log, '-'], { input });
  const [played, seen] = [at('played.ledger'), at('seen.ledger')];
  expect(await simulate(played)).toMatchObject({ code: 0 });
  expect(await run(['import', '--log', seen, at('refusal.txt')])).toMatchObject({ code: 0 });
  const headsOf = async () =>
    Promise.all([played, seen].map(async (log) => (await run(['verify', '--log', log])).out));
  const heads = await headsOf();
  const imported = await run(['import', '--log', played, at('refusal.txt')]);
  expect(imported).toMatchObject({ code: 2, out: '' });
  expect(imported.err).toContain('refusal.txt');
  expect(await simulate(seen)).toMatchObject({ code: 2, out: '' });
  expect(await headsOf()).toEqual(heads);
});

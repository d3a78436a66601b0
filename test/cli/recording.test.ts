import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { openLedger } from '../../ledger.ts';
import { temporaryFolder } from '../log/folder.ts';
import { shownBy } from '../support/terminal.ts';
import { hostTopology, jsonLines, run, twoContexts } from './program.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const onHost = ['simulate', '--topology', hostTopology];
const topologyLine = JSON.stringify(JSON.parse(readFileSync(hostTopology, 'utf8')));

/** What a real kernel might have recorded of the example. */
let truth = '';

beforeAll(async () => {
  const { out } = await run([...onHost, twoContexts]);
  truth = `${topologyLine}\n${out}`;
});

describe.concurrent('simulate', () => {
  test('answers each operation in a line, a refusal with its cause', async () => {
    const input =
      '@P2 open_group G nvme\n# comment\nopen_group H nvme\nseq two\nopen_group G g41\ngroup_status G\n';
    const { code, out, err } = await run([...onHost, '--profile', 'linux-6.1'], { input });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(
      `{"seq":"-","n":0,"p":"P2","op":"open_group G nvme","rc":3}
{"seq":"-","n":1,"p":"P1","op":"open_group H nvme","rc":-1,"errno":"EBUSY","cause":"group-already-open"}
{"seq":"two","n":0,"p":"P1","op":"open_group G g41","rc":3}
{"seq":"two","n":1,"p":"P1","op":"group_status G","rc":0,"viable":true,"container_set":false}
`,
    );
  });

  test('prints sentences to a terminal, and JSON there if it is told to', async () => {
    const scenario = at('sentences.scenario');
    writeFileSync(
      scenario,
      `open_cdev A gpu
set_driver gpu none
bg_wait
@P2 open_group G nvme
@P2 group_status G
seq two
@P2 open_group G nvme
open_group H nvme
kill P2
fds
`,
    );
    const args = [process.execPath, inject('program'), ...onHost];
    const env = { NO_COLOR: '1' };
    const { bytes, code } = await shownBy([...args, scenario], env);
    expect(code).toBe(0);
    expect(bytes.toString().replaceAll('\r', '')).toBe(
      `P1[101] opened device 0000:3b:00.0 as fd 3
the unbind of driver vfio-pci from 0000:3b:00.0 had to wait
bg_wait: the driver change still waits for an open file
P2[102] opened group 41 as fd 3
P2: group_status G: passed; the group is viable and has no container
two:
P2[103] opened group 41 as fd 3
P1[104] tried open_group group=41 cloexec=false and got EBUSY; cause: group-already-open (another file of the group is open; only one can be open at a time)
P2[103] was killed by SIGKILL
P1: fds: passed
`,
    );
    const asJson = await shownBy([...args, '--json', scenario], env);
    const { out } = await run([...onHost, scenario]);
    expect(asJson.bytes.toString().replaceAll('\r', '')).toBe(out);
    expect(out.split('\n')).toHaveLength(10);

    const log = at('sentences.ledger');
    const recorded = await shownBy([...args, '--log', log, scenario], env);
    await using ledger = await openLedger(log, { readOnly: true });
    const lines = recorded.bytes.toString().split('\r\n');
    const refused = /^position (\d+): (.*); cause: group-already-open/;
    const [, position, sentence] = lines.map((line) => refused.exec(line)).find(Boolean) ?? [];
    expect(ledger.describe(ledger.event(Number(position))!)).toBe(sentence);
  });

  test('plays a call on a device or group that the topology does not have, and says so', async () => {
    const there = 'there are gpu, gpu-audio, nvme, nic';
    const absent = [
      [
        'open_cdev A gup',
        `open_cdev: the topology has no device 'gup'; ${there}; did you mean gpu?`,
      ],
      ['set_driver vga none', `set_driver: the topology has no device 'vga'; ${there}`],
      ['get_device A G 0000:3B:00.0', 'did you mean 0000:3b:00.0?'],
      ['open_group H card', `'card'; ${there}, g26, g41, g12`],
      ['open_group H g62', "the topology has no group 'g62'; "],
      ['open_group H 0', "the topology has no group '0'; "],
    ] as const;
    const input = ['open_group G nvme', ...absent.map(([line]) => line), ''].join('\n');
    const { code, out, err } = await run([...onHost, '--log', at('absent.ledger')], { input });
    expect(code).toBe(0);
    expect(jsonLines(out)).toHaveLength(1 + absent.length);
    expect(jsonLines(out).filter(({ errno }) => errno !== undefined)).toHaveLength(absent.length);
    for (const [index, line] of err.trimEnd().split('\n').slice(0, absent.length).entries()) {
      expect(line).toMatch(new RegExp(`^vfio-ledger: stdin:${index + 2}: `));
      expect(line).toContain(absent[index]![1]);
    }
  });

  test('plays nothing if it is asked for the operations that there are', async () => {
    const { code, out, err } = await run(['simulate', '--operations', '--log', at('none')]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('--operations lists the operations and plays none');
  });

  test('takes a truth file as topology, and records nothing unless it is told to', async () => {
    const file = at('recorded.jsonl.gz');
    writeFileSync(file, gzipSync(truth));
    const env = { VFIO_LEDGER_LOG: at('not-made.ledger') };
    const { code, out } = await run(['simulate', '--topology', file, twoContexts], { env });
    expect(code).toBe(0);
    expect(`${topologyLine}\n${out}`).toBe(truth);
    expect(existsSync(env.VFIO_LEDGER_LOG)).toBe(false);
  });

  test('with --log each answer has the position of its event', async () => {
    const log = at('simulated.ledger');
    const first = await run([...onHost, '--log', log, twoContexts]);
    const again = await run([...onHost, '--log', log, '-'], { input: 'open_group G nvme\nfds\n' });
    expect(again.code).toBe(0);
    const ledger = await openLedger(log, { readOnly: true });
    for (const answer of [...jsonLines(first.out), ...jsonLines(again.out)]) {
      const event = ledger.events[Number(answer['position'])];
      if (answer['rc'] !== -1) continue;
      expect(event).toMatchObject({ type: 'operation.refused', data: { errno: answer['errno'] } });
    }
    const last = ledger.events.length - 1;
    expect(jsonLines(again.out).map(({ position }) => position)).toEqual([last, last]);
    expect(ledger.events.filter(({ type }) => type === 'host.booted')).toHaveLength(2);
    await ledger.close();
  });

  test('nothing is played or recorded when a line of the last scenario is wrong', async () => {
    const log = at('none.ledger');
    const bad = at('bad.scenario');
    writeFileSync(bad, 'open_iommufd I\n\nfly away\n');
    const { code, out, err } = await run([...onHost, '--log', log, twoContexts, bad]);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toBe(`vfio-ledger: ${bad}:3: unknown operation 'fly'\n`);
    expect(existsSync(log)).toBe(false);
  });

  test('recording goes on when nobody reads the answers any more', async () => {
    const log = at('unread.ledger');
    const input = 'open_iommufd I\nclose I\n'.repeat(2000);
    const { code, err } = await run([...onHost, '--log', log], { input, readsOnce: true });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const ledger = await openLedger(log, { readOnly: true });
    expect(ledger.events.filter(({ type }) => type === 'descriptor.closed')).toHaveLength(2000);
    await ledger.close();
  });
});

describe.concurrent('import', () => {
  test('reports in words, and takes the same evidence once', async () => {
    const log = at('imported.ledger');
    const first = await run(['import', '--log', log, '-'], { input: truth });
    expect(first).toEqual({
      code: 0,
      out: `read 28 lines: 39 events appended to ${log}, 0 were there already\n`,
      err: '',
    });
    const again = await run(['import', '--json', '--format', 'truth', '--log', log, '-'], {
      input: truth,
    });
    const nothing = {
      unknown: 0,
      passedOver: 0,
      seen: {},
      rejected: [],
      rejectedCount: 0,
      judgedAs: [],
    };
    const report = { read: 28, appended: 0, skipped: 39, ...nothing };
    expect(JSON.parse(again.out)).toEqual(report);
  });

  test('reads gzip and zstd, of several members and frames as well', async () => {
    const half = truth.indexOf('\n', truth.length / 2) + 1;
    const parts = [truth.slice(0, half), truth.slice(half)];
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
    const inputs = [
      Buffer.concat(parts.map((part) => gzipSync(part))),
      Buffer.concat([skippable, ...parts.map((part) => zstdCompressSync(part))]),
    ];
    for (const [index, input] of inputs.entries()) {
      const log = at(`compressed-${index}.ledger`);
      const { out } = await run(['import', '--json', '--log', log, '-'], { input });
      expect(JSON.parse(out)).toMatchObject({ read: 28, appended: 39 });
    }
  });

  test('topology and profile can be given with the evidence', async () => {
    const log = at('given.ledger');
    const input = truth.slice(topologyLine.length + 1);
    const given = ['--topology', hostTopology, '--profile', 'linux-6.12'];
    expect((await run(['import', ...given, '--log', log, '-'], { input })).code).toBe(0);
    const missing = await run(['import', '--log', at('missing.ledger'), '-'], { input });
    expect(missing).toMatchObject({ code: 2, err: expect.stringMatching(/stdin:1: no topology/) });
    expect(existsSync(at('missing.ledger'))).toBe(false);
  });

  test('what breaks off in the middle leaves the log as it was, and makes none', async () => {
    const log = at('whole.ledger');
    await run(['import', '--log', log, '-'], { input: truth });
    const before = readFileSync(log);
    const other = `${topologyLine}\n${truth.slice(topologyLine.length + 1).replaceAll('two-', 'x-')}`;
    const file = at('cut.gz');
    writeFileSync(file, gzipSync(other).subarray(0, -9));
    for (const target of [log, at('unmade.ledger')]) {
      const { code, err } = await run(['import', '--log', target, file]);
      expect(code).toBe(2);
      expect(err).toMatch(/^vfio-ledger: \S+\/cut\.gz:\d+: the compressed data is broken: .+\n$/);
    }
    expect(readFileSync(log).equals(before)).toBe(true);
    expect(existsSync(at('unmade.ledger'))).toBe(false);
  });

  test('the log of the user is made with its folder; one that is named is not', async () => {
    const XDG_STATE_HOME = at('state');
    const made = await run(['import', '-'], { input: truth, env: { XDG_STATE_HOME } });
    expect(made.code).toBe(0);
    expect(readdirSync(join(XDG_STATE_HOME, 'vfio-ledger'))).toEqual(['log.ledger']);
    const env = { XDG_STATE_HOME, VFIO_LEDGER_LOG: at('no-folder/log.ledger') };
    const named = await run(['import', '-'], { input: truth, env });
    expect(named).toMatchObject({ code: 4, out: '' });
    expect(named.err).toMatch(/^vfio-ledger: \S+ cannot be created: there is no folder \S+\n$/);
  });
});

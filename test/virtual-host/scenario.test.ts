/** A virtual host plays the scenario language, and writes its calls in it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scenarios } from '../../arbitraries/fast-check.ts';
import type { Fact } from '../../events/vocabulary.ts';
import { ScenarioHost } from '../../host/scenario-host.ts';
import { parseScenario } from '../../host/simulation.ts';
import { RequestError } from '../../ledger.ts';
import { operationNames } from '../../operations/table.ts';
import { virtualHost, type VirtualHost } from '../../virtual-host/virtual-host.ts';
import { countOf } from '../support/effort.ts';

const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [
    { name: 'gpu', bdf: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio0' },
    { name: 'audio', bdf: '0000:3b:00.1', group: '26', driver: 'vfio-pci', cdev: 'vfio1' },
  ],
};
const newHost = () => virtualHost({ topology });

/** The facts of a simulation, and how many of its operations were refused. */
function simulated({ topology: devices, profile }: VirtualHost, text: string): Fact[] {
  const host = new ScenarioHost(devices, profile);
  const operations = parseScenario(text).flatMap((sequence) => sequence.operations);
  return [...host.boot('-'), ...operations.flatMap((operation) => host.play(operation).facts)];
}

/** Facts in a form to be compared: no answer depends on the address of a mapping. */
const plainly = (facts: Iterable<Pick<Fact, 'type' | 'data'>>) =>
  Array.from(facts, ({ type, data }) => ({ type, data: { ...data, mapping: null } }));

describe('the scenario of a host', () => {
  test('is played by simulate to the same events, whatever was called', () => {
    const numRuns = countOf('scenarios written', { test: 150, soak: 8000, full: 20_000 });
    const written = new Set<string>();
    fc.assert(
      fc.property(scenarios({ processes: 4, refused: 30 }), (drawn) => {
        const host = drawn.host();
        const text = host.scenario();
        expect(plainly(simulated(host, text))).toEqual(plainly(host.ledger.events));
        for (const { operations } of parseScenario(text)) {
          for (const { operation } of operations) written.add(operation);
        }
      }),
      { numRuns },
    );
    expect(operationNames.filter((name) => !written.has(name))).toEqual([]);
  });

  test('has the names of the language for what typed methods return', () => {
    const host = newHost();
    const [qemu, other] = [host.process('qemu'), host.process('other')];
    const device = qemu.openCdev('gpu', { cloexec: true });
    const iommufd = qemu.openIommufd();
    const id = device.bind(iommufd);
    const ioas = iommufd.allocIoas();
    iommufd.map(ioas, { iova: 0x100000, size: 4096 });
    device.attach(iommufd.allocHwpt(id, ioas));
    expect(() => other.openGroup(26)).toThrow('EBUSY');
    qemu.fork('child').exec();
    device.send(other);
    expect(() => other.device(17).reset()).toThrow('EBADF');
    device.close();
    qemu.openCdev('audio').dup();
    expect(host.setDriver('gpu', null)).toBe('pending');
    qemu.kill();
    host.process('last');
    expect(host.scenario()).toBe(`spawn P1
spawn P2
open_cdev A gpu cloexec=1
open_iommufd I
bind A I
alloc_ioas I X
ioas_map I X
alloc_hwpt I A X H
attach A H
@P2 open_group G g26
fork P3
@P3 exec
send A P2 B
@P2 reset :17
close A
open_cdev A audio
dup B A
set_driver gpu none
kill P1
spawn P4
`);
    expect(plainly(simulated(host, host.scenario())).map(({ type }) => type)).toEqual(
      host.ledger.events.map(({ type }) => type),
    );
  });

  test('has at most eight processes at a time, and words without blanks', () => {
    const host = newHost();
    for (let count = 1; count <= 8; count++) host.process(`p${count}`);
    host.process('p1').exit();
    host.process('p9');
    expect(host.scenario().split('\n').at(-2)).toBe('spawn P1');
    host.process('p10');
    expect(() => host.scenario()).toThrow('no more than eight processes at a time');
    const odd = newHost();
    expect(() => odd.process('p').open('/dev/two words')).toThrow('ENOENT');
    expect(() => odd.scenario()).toThrow('the scenario language has no line for {"operation"');
  });

  test('opens a node that no device has by its path, and starts what a refused spawn did not', () => {
    const host = newHost();
    const first = host.process('first');
    expect(() => host.spawn('first')).toThrow('EEXIST');
    expect(() => first.open('/dev/vfio/devices/vfio9')).toThrow('ENOENT');
    expect(host.scenario()).toBe('spawn P1\nspawn P1\nopen_path A /dev/vfio/devices/vfio9\n');
    const plain = plainly(host.ledger.events).filter(({ type }) => type === 'operation.refused');
    expect(plain).toHaveLength(2);
    const again = plainly(simulated(host, host.scenario()));
    expect(again.filter(({ type }) => type === 'operation.refused')).toHaveLength(2);
  });

  test('asks for devices that are not there as its programs did', () => {
    const host = newHost();
    const { pid } = host.process('qemu');
    const { fd } = host.process('qemu').openGroup(26);
    expect(() => host.call({ operation: 'get_device', pid, fd, device: '3b:00.0' })).toThrow(
      'ENODEV',
    );
    const [last] = host.ledger.log({ refused: true });
    expect(plainly(simulated(host, host.scenario())).at(-1)).toEqual(plainly([last!])[0]);
  });
});

describe('a host plays', () => {
  test('operations between the calls of typed methods', () => {
    const host = newHost();
    const answers = host.play('@P2 open_group G gpu\n@P2 group_status G # still free\n');
    expect(answers).toMatchObject([
      { p: 'P2', rc: 3 },
      { viable: true, container_set: false },
    ]);
    expect(() => host.process('qemu').openGroup(26)).toThrow('EBUSY');
    host.process('P2').kill();
    host.process('qemu').openGroup(26).close();
    // The names of a process go with it.
    expect(host.play('@P2 close G')).toMatchObject([{ errno: 'EBADF', cause: 'bad-descriptor' }]);
    host.process('P3').openIommufd();
    expect(host.play('@P3 alloc_ioas :3 X')).toMatchObject([{ rc: 0 }]);
  });

  test('no seq, and no line that cannot be read', () => {
    const host = newHost();
    const before = host.ledger.length;
    expect(() => host.play('seq again\nopen_iommufd I')).toThrow('a virtual host boots once');
    expect(() => host.play('open_iommufd I\nopen_grup G gpu')).toThrow(RequestError);
    expect(() => host.play(7 as never)).toThrow('play takes a scenario as a string');
    expect(host.ledger.length).toBe(before);
  });
});

import { describe, expect, test } from 'vitest';
import { vmNamed } from '../../evidence/vm-name.ts';

/** Arguments by their words; `…` after one: its end is not shown. `…` alone: the rest is not shown. */
function named(program: string | null, words: string): string | false | null {
  const all = words.split(' ').filter((word) => word !== '');
  const args = all
    .filter((word) => word !== '…')
    .map((word) => ({ text: word.replace(/…$/, ''), isCut: word.endsWith('…') }));
  return vmNamed({ program, args, isWhole: !all.includes('…') });
}

describe('the command line names the virtual machine', () => {
  test.each([
    ['qemu-system-x86_64', '-name guest=vm1,debug-threads=on -S', 'vm1'],
    ['qemu-kvm', '-name vm1,process=qemu:vm1', 'vm1'],
    ['.qemu-system-x86_64-wrapped', '--name vm1', 'vm1'],
    ['qemu-system-aarch64', '-name debug-threads=on,guest=a=b', 'a=b'],
    ['qemu-system-x86_64', '-name guest=one,,two', 'one,two'],
    ['qemu-system-x86_64', '-name first -m 1G -name guest=last', 'last'],
    ['kvm', '-id 100 -name web,debug-threads=on -m 512', 'web'],
    ['kvm', '-id 100 -m 512', '100'],
    ['firecracker', '--id fc-7 --api-sock /run/a', 'fc-7'],
    ['jailer', '--id=fc-7 --exec-file /firecracker', 'fc-7'],
    ['crosvm', 'run --name test kernel', 'test'],
    ['lkvm', 'run -n test', 'test'],
  ])('%s %s', (program, words, name) => {
    expect(named(program, words)).toBe(name);
  });

  test.each([
    ['qemu-system-x86_64', '-S -m 1G'],
    ['qemu-system-x86_64', '-name debug-threads=on'],
    ['cloud-hypervisor', '--api-socket /run/a'],
    ['dpdk-testpmd', '-l 0-3 -a 0000:3b:00.0'],
    ['sh', '-c true'],
  ])('or gives none: %s %s', (program, words) => {
    expect(named(program, words)).toBe(false);
  });

  test.each([
    ['what is not shown may name it', 'qemu-system-x86_64', '-S …'],
    ['so may what was cut off', 'qemu-system-x86_64', '-name guest=a-long-na…'],
    ['and the value of the last argument', 'qemu-system-x86_64', '-S -name …'],
    ['a file of options', 'qemu-system-x86_64', '-readconfig /etc/vm.cfg'],
    ['another program', null, '-S'],
    ['an option that nobody here knows', 'my-vmm', '--name vm1'],
  ])('%s', (_, program, words) => {
    expect(named(program, words)).toBeNull();
  });

  test('what stands before the cut is sure', () => {
    expect(named('qemu-system-x86_64', '-name guest=vm1,debug-thre…')).toBe('vm1');
    expect(named('qemu-system-x86_64', '-name guest=vm1 …')).toBe('vm1');
  });
});

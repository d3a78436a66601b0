/**
 * The machine that QEMU makes, as its arguments.
 *
 * @module
 */
import { join } from 'node:path';
import { deviceArguments, type EmulatedHost } from './host.ts';
import type { ArchiveEntry } from './initramfs.ts';

/** What a guest has and does beside the agent. */
export interface Companion {
  readonly entries: readonly ArchiveEntry[];
  /** Where it is kept what comes out of the second port. */
  readonly output: string;
  /** Of the guest, as QEMU takes it. */
  readonly memory: string;
  /** How long it may take to come to its end. */
  readonly endMs: number;
}

/** For a prepared kernel, and what lies in a folder: the initramfs, and the console's text. */
export function qemuArguments(
  kernel: string,
  folder: string,
  host: EmulatedHost,
  {
    companion,
    isVerbose,
  }: { readonly companion: Companion | undefined; readonly isVerbose: boolean },
): string[] {
  const commandLine = [
    `console=ttyS0 loglevel=${isVerbose ? 7 : 4} panic=-1 oops=panic edd=off`,
    // No defences against what nobody does here, no waiting for entropy, nor for a timer that comes
    // late where the machine is busy.
    'mitigations=off nokaslr random.trust_cpu=on no_timer_check',
    // Addresses of mappings are the same in every run.
    'norandmaps',
    'intel_iommu=on',
  ].join(' ');
  const machine = [
    '-nodefaults -no-user-config -no-reboot -display none -monitor none',
    '-machine q35,usb=off,vmport=off,smbus=off,sata=off,graphics=off',
    // One processor: with two, translated code is slower. Page tables of five levels cost a third.
    '-accel tcg,thread=multi -cpu max,la57=off -smp 1',
    `-m ${companion?.memory ?? '256M'}`,
    '-device intel-iommu,intremap=on,caching-mode=on',
    '-chardev stdio,id=port,signal=off',
    '-device virtio-serial-pci,id=serial,bus=pcie.0,addr=1e.0',
    '-device virtserialport,bus=serial.0,nr=1,chardev=port',
  ];
  return [
    ...machine.join(' ').split(' '),
    '-kernel',
    join(kernel, 'vmlinuz'),
    '-initrd',
    join(folder, 'initramfs'),
    '-append',
    commandLine,
    '-serial',
    `file:${join(folder, 'console')}`,
    ...secondPort(companion?.output),
    ...deviceArguments(host),
  ];
}

function secondPort(output: string | undefined): string[] {
  if (output === undefined) return [];
  // A comma ends a value, two are one.
  const path = output.replaceAll(',', ',,');
  return [
    '-chardev',
    `file,id=output,path=${path}`,
    '-device',
    'virtserialport,bus=serial.0,nr=2,chardev=output',
  ];
}

/**
 * The device that a line names beside a group is in that group, however the line names it.
 */
import { expect, test } from 'vitest';
import { openLedger } from '../../../ledger.ts';

const device = '0000:c4:00.0';
const UUID = '5d0d1c5e-3f1b-4c2a-9b7e-2f6a4f1d9c33';
const busy = 'failed to open /dev/vfio/57: Device or resource busy';

async function membersOf(text: string) {
  const ledger = await openLedger(':memory:');
  await ledger.import(text);
  expect(ledger.log({ refused: true })).toHaveLength(1);
  expect(ledger.who('g57').holders).toEqual([]);
  const { devices } = ledger.at('end').table();
  return devices.filter(({ group }) => group === '57').map((one) => one.device);
}

test.each([
  [`qemu-system-x86_64: -device vfio-pci,host=${device}: vfio ${device}: ${busy}`, device],
  [`kvm: -device vfio-pci,host=${device},id=hostpci0,bus=pci.0,addr=0x10: vfio: ${busy}`, device],
  [
    `qemu-kvm: -device vfio-pci,host=c4:00.0,id=hostdev0: vfio: error opening /dev/vfio/57: Operation not permitted`,
    device,
  ],
  [`qemu-kvm: -device {"driver":"vfio-pci","host":"${device}","id":"hostdev0"}: ${busy}`, device],
  [
    `qemu-kvm: -device vfio-pci,sysfsdev=/sys/bus/mdev/devices/${UUID}: vfio ${UUID}: ${busy}`,
    UUID,
  ],
  [`qemu-kvm: -device vfio-pci,sysfsdev=/sys/bus/mdev/devices/${UUID},id=hostdev0: ${busy}`, UUID],
  [`vfio error: ${UUID}: ${busy}`, UUID],
  [`vmm: ${busy} for device ${device}`, device],
  [
    `{"level":"error","msg":"open /dev/vfio/57","error":"device or resource busy","device":"${device}"}`,
    device,
  ],
  [
    `time="2026-03-04T05:06:07Z" level=error msg="open /dev/vfio/57: device or resource busy" bdf=${device}`,
    device,
  ],
  [
    `EAL: ${device} cannot add VFIO group to container; group 57: ${device} open /dev/vfio/57 failed: Device or resource busy`,
    device,
  ],
])('%s', async (text, named) => {
  expect(await membersOf(text)).toEqual([named]);
});

test.each([
  `[instance: ${UUID}] ${busy}`,
  `request ${UUID} ${busy}`,
  `[req-${UUID} - - - -] ${busy}`,
  `domain ${UUID} ${busy}`,
  `volume=${UUID} ${busy}`,
  `{"level":"error","msg":"${busy}","uid":"${UUID}"}`,
])('a UUID of something else is no device: %s', async (text) => {
  expect(await membersOf(text)).toEqual([]);
});

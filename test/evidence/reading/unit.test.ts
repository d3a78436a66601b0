import { expect, test } from 'vitest';
import { unitOf } from '../../../evidence/reading/unit.ts';

const id = '0123456789abcdef'.repeat(4);
const uid = '9f2d1c3b-5a6e-4f70-8b91-a2c3d4e5f607';

test.each([
  ['/', null],
  ['', null],
  ['/process_api/7cfef6325a8231a9', null],
  ['/init.scope', 'init.scope'],
  ['/system.slice', null],
  ['/system.slice/libvirtd.service', 'libvirtd.service'],
  ['/system.slice/system-getty.slice/getty@tty1.service', 'getty@tty1.service'],
  ['/system.slice/dbus-:1.2-org.example@0.service', 'dbus-:1.2-org.example@0.service'],
  ['/../../system.slice/dpdk\\x2dpmd.service/worker', 'dpdk-pmd.service'],
  ['/machine.slice/machine-qemu\\x2d1\\x2dguest.scope', 'VM guest'],
  ['/machine.slice/machine-qemu\\x2d12\\x2dmy\\x2dvm.scope/libvirt/emulator', 'VM my-vm'],
  ['/machine/guest.libvirt-qemu/vcpu0', 'VM guest'],
  ['/machine/qemu-3-guest.libvirt-qemu', 'VM guest'],
  ['/qemu.slice/100.scope', 'VM 100'],
  ['/machine.slice/machine-lxc\\x2d4\\x2dbox.scope', 'lxc:box'],
  ['/machine.slice/machine-debian.scope', 'machine debian'],
  ['/machine.slice/systemd-nspawn@debian.service/payload', 'machine debian'],
  [`/docker/${id}`, 'docker:0123456789ab'],
  [`/docker/${id}/system.slice/nginx.service`, 'docker:0123456789ab'],
  [`/docker/${id}/kubelet/kubepods/pod${uid}/${'f'.repeat(64)}`, 'docker:0123456789ab'],
  [`/system.slice/docker-${id}.scope`, 'docker:0123456789ab'],
  [`/machine.slice/libpod-${id}.scope/container`, 'podman:0123456789ab'],
  [`/system.slice/crio-${id}.scope`, 'cri-o:0123456789ab'],
  [
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-${id}.scope`,
    `pod ${uid} container 0123456789ab`,
  ],
  [`/kubepods/besteffort/pod${uid}/${id}`, `pod ${uid} container 0123456789ab`],
  [
    `/system.slice/containerd.service/kubepods-pod${uid.replaceAll('-', '_')}.slice:cri-containerd:${id}`,
    `pod ${uid} container 0123456789ab`,
  ],
  [
    `/kubepods.slice/kubepods-pod${uid.replaceAll('-', '')}.slice`,
    `pod ${uid.replaceAll('-', '')}`,
  ],
  ['/lxc/101/ns/init.scope', 'lxc:101'],
  ['/lxc.payload.web/system.slice/nginx.service', 'lxc:web'],
  ['/user.slice/user-1000.slice', 'user-1000.slice'],
  ['/user.slice/user-1000.slice/session-3.scope', 'session-3.scope of user 1000'],
  ['/user.slice/user-1000.slice/user@1000.service', 'user@1000.service'],
  [
    '/user.slice/user-1000.slice/user@1000.service/app.slice/app-qemu.scope',
    'app-qemu.scope of user 1000',
  ],
])('%s is of %s', (path, unit) => {
  expect(unitOf(path)).toBe(unit);
});

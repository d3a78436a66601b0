/**
 * Names the VM, container or unit of a control group.
 *
 * @module
 */

const CONTAINER_TOOLS: Readonly<Record<string, string>> = {
  docker: 'docker',
  libpod: 'podman',
  nerdctl: 'nerdctl',
  crio: 'cri-o',
  'cri-containerd': 'containerd',
};

/**
 * A readable name for the path of a control group, or null. Examples: `VM guest`,
 * `docker:0123456789ab`, `pod UID container 0123456789ab`, `lxc:name`, `machine name`,
 * `libvirtd.service`, `session-3.scope of user 1000`.
 *
 * For nested containers it names the outermost one, which the host knows.
 */
export function unitOf(cgroupPath: string): string | null {
  const names = cgroupPath.split(/\/|:cri-containerd:/).map(unescaped);
  for (const [index, name] of names.entries()) {
    const found =
      podOf(name, names.slice(index + 1)) ??
      virtualMachineOf(name, names[index - 1]) ??
      containerOf(name, names[index - 1]);
    if (found !== null) return found;
  }
  return systemdUnitOf(names);
}

/** Undoes systemd's escapes in names of units, such as `\x2d`. */
function unescaped(name: string): string {
  return name.replace(/\\x([\da-f]{2})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

function podOf(name: string, below: readonly string[]): string | null {
  const uid = /(?:^|-)pod([\da-f][\da-f_-]{31,35})(?:\.slice)?$/.exec(name)?.[1];
  if (uid === undefined) return null;
  const container = below.map((inner) => /^(?:.+-)?([\da-f]{64})(?:\.scope)?$/.exec(inner)?.[1]);
  const id = container.find((found) => found !== undefined);
  const pod = `pod ${uid.replaceAll('_', '-')}`;
  return id === undefined ? pod : `${pod} container ${id.slice(0, 12)}`;
}

function virtualMachineOf(name: string, parent: string | undefined): string | null {
  const machine =
    /^machine-qemu-\d+-(.+)\.scope$/.exec(name) ??
    /^(?:qemu-\d+-)?(.+)\.libvirt-qemu$/.exec(name) ??
    (parent === 'qemu.slice' ? /^(\d+)\.scope$/.exec(name) : null);
  return machine === null ? null : `VM ${machine[1]}`;
}

function containerOf(name: string, parent: string | undefined): string | null {
  const [, tool, id] = /^(?:(.+)-)?([\da-f]{64})(?:\.scope)?$/.exec(name) ?? [];
  const known = CONTAINER_TOOLS[tool ?? parent ?? ''];
  if (id !== undefined && known !== undefined) return `${known}:${id.slice(0, 12)}`;
  const lxc =
    /^machine-lxc-\d+-(.+)\.scope$/.exec(name) ??
    /^lxc\.(?:payload|monitor)\.(.+)$/.exec(name) ??
    (parent === 'lxc' || parent === 'lxc.payload' || parent === 'lxc.monitor'
      ? /^(.+)$/.exec(name)
      : null);
  if (lxc !== null) return `lxc:${lxc[1]}`;
  const machine = /^machine-(.+)\.scope$/.exec(name) ?? /^systemd-nspawn@(.+)\.service$/.exec(name);
  return machine === null ? null : `machine ${machine[1]}`;
}

function systemdUnitOf(names: readonly string[]): string | null {
  const unit = names.findLast((name) => /.\.(?:service|scope|socket|mount|swap)$/.test(name));
  const slice = names.findLast((name) => /^user-\d+\.slice$/.test(name));
  if (unit === undefined) return slice ?? null;
  const user = slice?.slice('user-'.length, -'.slice'.length);
  return user === undefined || unit === `user@${user}.service` ? unit : `${unit} of user ${user}`;
}

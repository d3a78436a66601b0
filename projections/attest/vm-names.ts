/**
 * Names of virtual machines in the paths of control groups.
 *
 * @module
 */

/** The machine that a control group belongs to. */
interface MachineScope {
  readonly name: string;
  /**
   * `host-name`: libvirt gave it the part of the machine's name that a host name may contain.
   * `number`: Proxmox gave it the number of the machine.
   */
  readonly form: 'name' | 'host-name' | 'number';
  /** Whether libvirt has cut its end off. */
  readonly isCut: boolean;
}

/** libvirt cuts the name of a unit at this length, then hyphens at its end. */
const UNIT_NAME_MAX = 64;

/** The machine that a control group is of; null if its path names none. */
export function machineOf(cgroup: string): MachineScope | null {
  const parts = cgroup.split('/').map(unescaped);
  for (const [index, part] of parts.entries()) {
    const next = parts[index + 1] ?? '';
    // systemd: machine.slice/machine-qemu\x2d7\x2dweb.scope
    const [, unit] = /^machine-(.+)\.scope$/.exec(part) ?? [];
    if (unit !== undefined) return machineOfUnit(unit);
    // libvirt without systemd: machine/qemu-7-web.libvirt-qemu, in old releases web.libvirt-qemu
    const [, folder] = /^(.+)\.libvirt-[a-z]+$/.exec(part) ?? [];
    if (folder !== undefined) return machineOfUnit(folder);
    // In older ones libvirt/qemu/web
    const oldest = parts[index + 2] ?? '';
    if (part === 'libvirt' && next === 'qemu' && oldest !== '') {
      return { name: oldest, form: 'name', isCut: false };
    }
    // Proxmox: qemu.slice/100.scope
    const [, number] = /^(\d+)\.scope$/.exec(next) ?? [];
    if (part === 'qemu.slice' && number !== undefined) {
      return { name: number, form: 'number', isCut: false };
    }
  }
  return null;
}

function machineOfUnit(unit: string): MachineScope {
  const [, name] = /^(?:.*?-)??(?:qemu|ch|lxc|libxl|bhyve)-\d+-(.+)$/.exec(unit) ?? [];
  if (name === undefined) return { name: unit, form: 'name', isCut: false };
  return { name, form: 'host-name', isCut: unit.length >= UNIT_NAME_MAX - 1 };
}

/** Whether a name that is not that of the scope may be the machine's. */
export function mayBeNamed({ name: scope, form, isCut }: MachineScope, name: string): boolean {
  if (form === 'number') return !isNumber(name);
  if (form === 'name') return false;
  const shown = hostNameOf(name);
  return shown === scope || (isCut && shown.startsWith(scope));
}

/**
 * What libvirt keeps of a machine's name
 * (libvirt: src/hypervisor/domain_driver.c:virDomainMachineNameAppendValid).
 */
function hostNameOf(name: string): string {
  let shown = '';
  let isBetween = true;
  for (const char of name) {
    const isMark = char === '.' || char === '-';
    if (isMark ? !isBetween : /[\dA-Za-z]/.test(char)) shown += char;
    isBetween = isMark;
  }
  return shown.replace(/-+$/, '');
}

/** Whether a name may be the number by which Proxmox knows a machine. */
export function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}

/** The name of a unit without systemd's escapes: `\x2d` is a hyphen. */
function unescaped(part: string): string {
  if (!part.includes('\\x')) return part;
  const escaped = part.replaceAll('%', '%25').replaceAll(/\\x([\da-fA-F]{2})/g, '%$1');
  try {
    return decodeURIComponent(escaped);
  } catch {
    return part;
  }
}

/**
 * QEMU's trace events that show ownership, and the arguments in their text.
 *
 * Arguments have the names from QEMU's `trace-events` files. These have changed less between versions
 * than the text of the events.
 *
 * @module
 */
import { EvidenceError } from '../importer.ts';
import { copied } from '../source.ts';
import type { TracedEvent } from './prefix.ts';

/** The arguments of an event. */
export interface TraceArguments {
  text(name: string): string;
  number(name: string): number;
  /** The return value of the call; 0 if the event does not show it. */
  readonly ret: number;
}

const closed = /^close \w{1,32}->fd=(?<fd>-?\d+)/;
const inGroup = /^\((?<name>\S+)\) group (?<group_id>-?\d+)/;
const obtained = /^(?:Device )?(?<name>\S+?),? flags: /;

const forms = {
  iommufd_cdev_getfd: /^(?<dev>\S+) \(fd=(?<devfd>-?\d+)\)/,
  iommu_backend_set_fd: /^pre-opened \/dev\/iommu fd=(?<fd>-?\d+)/,
  iommufd_backend_connect:
    /^fd=(?<fd>-?\d+) owned=(?<owned>\d+) users=(?<users>\d+)(?: \((?<ret>-?\d+)\))?/,
  iommufd_backend_disconnect: /^fd=(?<fd>-?\d+) users=(?<users>\d+)/,
  iommufd_backend_alloc_ioas: /^iommufd=(?<iommufd>-?\d+) ioas=(?<ioas>\d+)(?: \((?<ret>-?\d+)\))?/,
  iommufd_backend_alloc_hwpt: new RegExp(
    String.raw`^iommufd=(?<iommufd>-?\d+) dev_id=\d+ pt_id=(?<pt_id>\d+) .*` +
      String.raw`\bout_hwpt=(?<out_hwpt_id>\d+) \((?<ret>-?\d+)\)`,
  ),
  iommufd_backend_free_id: /^iommufd=(?<iommufd>-?\d+) id=(?<id>\d+)(?: \((?<ret>-?\d+)\))?/,
  iommufd_cdev_connect_and_bind: new RegExp(
    String.raw`^\[iommufd=(?<iommufd>-?\d+)\] Successfully bound device (?<name>\S+) ` +
      String.raw`\(fd=(?<devfd>-?\d+)\): output devid=(?<devid>\d+)`,
  ),
  iommufd_cdev_attach_ioas_hwpt: new RegExp(
    String.raw`^\[iommufd=(?<iommufd>-?\d+)\] Successfully attached device (?<name>\S+) ` +
      String.raw`\((?<devfd>-?\d+)\) to id=(?<id>\d+)`,
  ),
  iommufd_cdev_detach_ioas_hwpt:
    /^\[iommufd=(?<iommufd>-?\d+)\] Successfully detached (?<name>\S+)/,
  iommufd_cdev_fail_attach_existing_container: /^(?<msg>.*)/s,
  iommufd_cdev_device_info: /^(?<name>\S+) \((?<devfd>-?\d+)\)/,
  vfio_realize: inGroup,
  vfio_attach_device: inGroup,
  vfio_device_attach: inGroup,
  vfio_get_device: obtained,
  vfio_device_get: obtained,
  vfio_put_group: closed,
  vfio_group_put: closed,
  vfio_put_base_device: closed,
  vfio_device_put: closed,
  vfio_disconnect_container: closed,
  vfio_container_disconnect: closed,
  vfio_pci_hot_reset_dep_devices: /^(?<device>\S+) group (?<group_id>-?\d+)/,
  vfio_pci_hot_reset_result: /^(?<name>\S+) hot reset: (?<result>.*)/s,
} as const satisfies Record<string, RegExp>;

export type KnownEvent = keyof typeof forms;

/** Whether an event shows ownership. Others are ignored. */
export function isKnown(event: string): event is KnownEvent {
  return Object.hasOwn(forms, event);
}

/** The arguments of an event. Throws `EvidenceError` if the text is not that of the event. */
export function argumentsOf(event: KnownEvent, { text, named }: TracedEvent): TraceArguments {
  const words: Readonly<Record<string, string | undefined>> | undefined =
    named ?? forms[event].exec(text)?.groups;
  if (words === undefined) throw new EvidenceError(`${event} breaks off`);
  const word = (name: string): string => {
    const found = words[name] ?? (name === 'device' ? addressIn(words) : undefined);
    if (found === undefined) throw new EvidenceError(`${event} without its '${name}'`);
    return copied(found);
  };
  const number = (name: string): number => {
    const value = numberOf(word(name));
    if (value === null) throw new EvidenceError(`${event}: '${name}' is not a number`);
    return value;
  };
  return { text: word, number, ret: words['ret'] === undefined ? 0 : number('ret') };
}

/** simpletrace.py prints all numbers as 64 bits; QEMU's have 32 bits and may be negative. */
function numberOf(word: string): number | null {
  if (/^-?\d{1,10}$/.test(word)) return Number(word);
  if (!/^0x[\da-f]{1,16}$/i.test(word)) return null;
  return word.length > 10 || Number(word) > 0xffff_0000
    ? Number(BigInt.asIntN(32, BigInt(word)))
    : Number(word);
}

/** The PCI address in the arguments `domain`, `bus`, `slot` and `function`. */
function addressIn(words: Readonly<Record<string, string | undefined>>): string | undefined {
  const parts = ['domain', 'bus', 'slot', 'function'].map((name) => numberOf(words[name] ?? ''));
  if (parts.includes(null)) return undefined;
  const [domain = '', bus = '', slot = '', last = ''] = parts.map((part) => part?.toString(16));
  return `${domain.padStart(4, '0')}:${bus.padStart(2, '0')}:${slot.padStart(2, '0')}.${last}`;
}

/**
 * Splits lines of QEMU's trace backends into prefix, event and text.
 *
 * @module
 */
import { LONGEST } from '../messages/names.ts';
import type { Stamp } from '../wrappers/times.ts';
import { unwrapped } from '../wrappers/unwrap.ts';

/** An event of a line. `distance` is the time since the event before, in microseconds. */
export interface TracedEvent {
  readonly event: string;
  readonly text: string;
  /** Arguments by name, which only simpletrace.py prints. */
  readonly named: Readonly<Record<string, string>> | null;
  readonly thread: number | null;
  readonly process: number | null;
  readonly stamps: readonly Stamp[];
  readonly distance: number | null;
}

/** The names of events about devices, groups, containers or iommufds. */
const FAMILIES = [
  'iommu_backend_\\w+',
  'iommufd_\\w+',
  'vfio_(?:intx|msix?|pci|quirk|region|listener|rom|vga|check|populate|mdev|add|emulated)_\\w+',
  'vfio_(?:get|put|group|container|device|connect|disconnect|attach|detach|platform|spapr)_\\w+',
  'vfio_(?:prereg|display|load|save|migration|state|vmstate|cpr|user|ioeventfd|known|legacy)_\\w+',
  'vfio_(?:realize|mdev|iommu_map_\\w+|dma_unmap_\\w+|reset_handler)',
].join('|');

/** The prefix of the log backend: `THREAD@SECONDS.MICROS:`. */
const timed = /^(?<thread>\d{1,10})@(?<second>\d{1,10})\.(?<micros>\d{6}):/;
const program = /^[\w.+-]{1,64}(?:\((?<process>\d{1,10})(?::[^)]{0,32})?\))?: /;
const traced = new RegExp(`^(?<event>${FAMILIES})(?:\\s+(?<text>.*)|)$`, 's');
const simple = /^(?<distance>-?\d{1,15}\.\d{3}) pid=(?<process>\d{1,10})(?<rest>(?: .*)?)$/s;

/** Splits a line; null if it is not a trace event about VFIO or iommufd. */
export function tracedIn(line: string): TracedEvent | null {
  const text = line.length > LONGEST ? line.slice(0, LONGEST) : line;
  const time = timed.exec(text);
  if (time?.groups !== undefined) {
    const { thread, second, micros } = time.groups;
    const at = Number(second) * 1_000_000 + Number(micros);
    const found = eventIn(text.slice(time[0].length));
    return found && { ...found, thread: Number(thread), stamps: [{ clock: 'wall', at }] };
  }
  if (!/vfio|iommu/.test(text)) return null;
  const { message, stamps, pid } = unwrapped(text);
  const by = program.exec(message);
  const own = by?.groups?.['process'];
  const found = eventIn(by === null ? message : message.slice(by[0].length));
  if (found === null) return null;
  const process = own === undefined ? pid : Number(own);
  return { ...found, stamps, process: found.process ?? process };
}

function eventIn(text: string): TracedEvent | null {
  const { event, text: rest = '' } = traced.exec(text)?.groups ?? {};
  if (event === undefined) return null;
  const plain = { event, text: rest, named: null, thread: null, process: null };
  const { distance, process, rest: args = '' } = simple.exec(rest)?.groups ?? {};
  if (distance === undefined) return { ...plain, stamps: [], distance: null };
  return {
    ...plain,
    text: '',
    named: namedIn(args),
    process: Number(process),
    stamps: [],
    distance: Number(distance),
  };
}

/** Arguments by name. A value ends at the next name, because it may contain spaces. */
function namedIn(text: string): Readonly<Record<string, string>> {
  const names = [...text.matchAll(/ (\w{1,64})=/g)];
  return Object.fromEntries(
    names.map((found, index) => {
      const value = text.slice(found.index + found[0].length, names[index + 1]?.index);
      return [found[1] ?? '', value.replace(/^b'(.*)'$/s, '$1')];
    }),
  );
}

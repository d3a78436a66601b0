/**
 * Events in words.
 *
 * @module
 */
import type { DataOf, EventType } from '../events/vocabulary.ts';
import type { RecordedEvent } from '../ledger.ts';
import { QUEUE } from '../processes/process-table.ts';
import { pair } from './event-row.ts';
import { processWords } from './owners.ts';
import { printable } from './printable.ts';

/** The events of a log by their positions. */
export interface History {
  event(position: number): RecordedEvent | undefined;
  /** What a process was called at a position. */
  commOf(pid: number, position: number): string | null;
}

/** What to call a process at the time of an event. */
type NameOf = (pid: number) => string;

/** The event at a position as a sentence without its full stop: `P1[101] closed fd 4`. */
export function sentence(history: History, position: number): string {
  const event = history.event(position);
  if (event === undefined) return '';
  return printable(wordsOf(event, (pid) => processWords(pid, history.commOf(pid, position))));
}

function wordsOf({ type, data }: RecordedEvent, name: NameOf): string {
  if (!isDeed(type)) return (told[type] as Words)(data, name);
  const who = 'pid' in data ? name(data.pid) : 'somebody';
  return `${who} ${(deeds[type] as Words)(data, name)}`;
}

function isDeed(type: EventType): type is Deed {
  return Object.hasOwn(deeds, type);
}

type Words = (data: RecordedEvent['data'], name: NameOf) => string;

/** What is said of events as a whole. */
type Told = Exclude<EventType, Deed>;

const told: { readonly [T in Told]: (data: DataOf<T>, name: NameOf) => string } = {
  'host.booted': (data) => `the host booted, kernel ${data.kernel} (${data.boot})`,
  'gap.noticed': (data) =>
    `${data.group === null ? 'every group' : `group ${data.group}`} is in doubt: ${data.reason}`,
  'snapshot.taken': (data) =>
    `the host was read, ${data.complete ? 'all of it' : 'as far as it could be seen'}`,
  'evidence.begun': (data) => `evidence begins: ${data.format} from ${data.source}`,
  'group.found': (data) => `group ${data.group} was seen to be there`,
  'claim.granted': (data) => `${data.manager} gave ${data.device} to ${data.claimant}`,
  'claim.released': (data) => `${data.manager} took ${data.device} back from ${data.claimant}`,
  'claim.refused': (data) => `${data.manager} could not give ${data.device} to ${data.claimant}`,
  'history.archived': (data) => `what is before position ${data.to + 1} was archived`,
  'history.removed': (data) => `what is before position ${data.to + 1} was removed`,
  'device.added': (data) => {
    const group = data.group === null ? 'without a group' : `in group ${data.group}`;
    const driver = data.driver === null ? 'no driver' : `driver ${data.driver}`;
    return `device ${data.device} was there, ${group}, with ${driver}`;
  },
  'device.removed': (data) => `device ${data.device} was removed`,
  'driver.bound': (data) => `driver ${data.driver} was bound to ${data.device}`,
  'driver.unbound': (data) => `driver ${data.driver} was unbound from ${data.device}`,
  'driver.unbind-blocked': (data) =>
    `the unbind of driver ${data.driver} from ${data.device} had to wait`,
  'driver.settled': (data) =>
    `the driver of ${data.device} was changed, to ${data.driver ?? 'none'}`,
  'process.started': (data) => `${processWords(data.pid, data.comm)} started`,
  'process.found': (data) => `${processWords(data.pid, data.comm)} was there`,
  'process.forked': (data, name) =>
    `${name(data.pid)} forked ${processWords(data.child, data.comm)}`,
  'process.executed': (data, name) => `${name(data.pid)} executed another program`,
  'process.exited': (data, name) => {
    if (data.signal === null) return `${name(data.pid)} exited`;
    return `${name(data.pid)} was killed by ${data.signal}`;
  },
  'descriptor.duplicated': (data, name) =>
    `${name(data.pid)} duplicated fd ${data.fd} as fd ${data.as}`,
  'descriptor.passed': (data, name) =>
    `${name(data.pid)} passed fd ${data.fd} to ${name(data.to)}, as fd ${data.as}`,
  'descriptor.flagged': (data, name) =>
    `${name(data.pid)} ${data.cloexec ? 'set' : 'cleared'} close-on-exec of fd ${data.fd}`,
  'file.released': (data) => `the kernel released a file of kind ${data.kind}`,
  'descriptor.closed': (data, name) => {
    if (data.pid === QUEUE) return 'the kernel let go of a file that nobody had a descriptor of';
    return `${name(data.pid)} closed fd ${data.fd}`;
  },
  'mapping.created': (data, name) =>
    `${name(data.pid)} mapped ${regionWords(data.region)} of fd ${data.fd}`,
  'mapping.removed': (data, name) => `${name(data.pid)} unmapped mapping ${data.mapping}`,
};

/** A file given as an argument, which the evidence may not show. */
function of(kind: string, fd: number | null): string {
  const article = kind === 'iommufd' ? 'an' : 'a';
  return fd === null ? `${article} ${kind} that is not shown` : `the ${kind} of fd ${fd}`;
}

function regionWords(region: number | null): string {
  return region === null ? 'a region' : `region ${region}`;
}

/** The call that was refused: the operation and its arguments, without who made it. */
const besides = new Set(['operation', 'errno', 'pid', 'cause', 'evidence']);

function callWords(data: DataOf<'operation.refused'>): string {
  const given = Object.entries(data).filter(
    ([key, value]) =>
      !besides.has(key) && value !== undefined && (value !== null || key === 'driver'),
  );
  return [data.operation, ...given.map(pair)].join(' ');
}

/** What somebody did to a file of VFIO's or iommufd's, or tried to. */
type Deed =
  | 'group.opened'
  | 'container.opened'
  | 'iommufd.opened'
  | 'device.opened'
  | 'path.opened'
  | 'container.set'
  | 'container.unset'
  | 'iommu.set'
  | 'device.obtained'
  | 'device.bound'
  | 'device.attached'
  | 'device.detached'
  | 'ioas.allocated'
  | 'hwpt.allocated'
  | 'object.destroyed'
  | 'compat-ioas.set'
  | 'compat-ioas.cleared'
  | 'device.reset'
  | 'device.hot-reset'
  | 'operation.refused';

const deeds: { readonly [T in Deed]: (data: DataOf<T>) => string } = {
  'group.opened': (data) => `opened group ${data.group} as fd ${data.fd}`,
  'container.opened': (data) => `opened a container as fd ${data.fd}`,
  'iommufd.opened': (data) => `opened an iommufd as fd ${data.fd}`,
  'device.opened': (data) => `opened device ${data.device} as fd ${data.fd}`,
  'path.opened': (data) => `opened ${data.path} as fd ${data.fd}`,
  'container.set': (data) =>
    `put the group of fd ${data.fd} into ${of('container', data.container)}`,
  'container.unset': (data) => `took the group of fd ${data.fd} out of its container`,
  'iommu.set': (data) => `gave the container of fd ${data.fd} IOMMU driver ${data.iommu ?? '?'}`,
  'device.obtained': (data) =>
    `got ${data.device === null ? 'a device' : `device ${data.device}`} from the group of fd ${data.fd} as fd ${data.as}`,
  'device.bound': (data) => `bound the device of fd ${data.fd} to ${of('iommufd', data.iommufd)}`,
  'device.attached': (data) =>
    `attached the device of fd ${data.fd} to page table ${data.pt ?? '?'}`,
  'device.detached': (data) => `detached the device of fd ${data.fd}`,
  'ioas.allocated': (data) => `allocated IOAS ${data.id ?? '?'} in the iommufd of fd ${data.fd}`,
  'hwpt.allocated': (data) =>
    `allocated page table ${data.id ?? '?'} in the iommufd of fd ${data.fd}`,
  'object.destroyed': (data) =>
    `destroyed object ${data.object ?? '?'} of the iommufd of fd ${data.fd}`,
  'compat-ioas.set': (data) =>
    `made IOAS ${data.ioas ?? '?'} the compatible one of the iommufd of fd ${data.fd}`,
  'compat-ioas.cleared': (data) => `cleared the compatible IOAS of the iommufd of fd ${data.fd}`,
  'device.reset': (data) => `reset the device of fd ${data.fd}`,
  'device.hot-reset': (data) => `reset the bus of the device of fd ${data.fd}`,
  'operation.refused': (data) => `tried ${callWords(data)} and got ${data.errno}`,
};

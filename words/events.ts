/**
 * A sentence for each event.
 *
 * @module
 */
import type { DataOf, EventType, Placed } from '../events/vocabulary.ts';
import { KERNEL_PID } from '../processes/process-table.ts';
import { pair } from './event-data.ts';
import { processWords } from './owners.ts';

/** Looks up the names of processes. */
export interface CommLookup {
  /** The name (`comm`) of a process at a position; null if the history does not have it. */
  commOf(pid: number, position: number): string | null;
}

/** What sentences read of a log. */
export interface History extends CommLookup {
  event(position: number): Placed | undefined;
}

/** The name of a process at the time of an event, such as `P1[101]`. */
type NameOf = (pid: number) => string;

/** An event as a sentence without its full stop: `P1[101] closed fd 4`. */
export function eventWords({ type, data, position }: Placed, names: CommLookup): string {
  const wordsOf = words[type] as (data: Placed['data'], name: NameOf) => string;
  return wordsOf(data, (pid) => processWords(pid, names.commOf(pid, position)));
}

/** The event at a position as a sentence; empty if there is no such event. */
export function sentence(history: History, position: number): string {
  const event = history.event(position);
  return event === undefined ? '' : eventWords(event, history);
}

const words: { readonly [T in EventType]: (data: DataOf<T>, name: NameOf) => string } = {
  'host.booted': (data) => `the host booted, kernel ${data.kernel} (${data.boot})`,
  'host.died': ({ device, driver }) =>
    `the kernel died of binding driver ${driver} to ${device}; it answers nothing until it boots`,
  'gap.noticed': (data) =>
    `gap in the evidence of ${data.group === null ? 'every group' : `group ${data.group}`}: ${data.reason}`,
  'snapshot.taken': (data) =>
    `the host was read${data.complete ? '' : ', but not all of it could be seen'}`,
  'evidence.begun': (data) => `evidence begins: ${data.format} from ${data.source}`,
  'group.found': (data) => `group ${data.group} was found`,
  'claim.granted': (data) =>
    data.evidence?.certainty === 'inferred'
      ? `${data.manager} says that ${data.claimant} has ${claimedIn(data)}`
      : `${data.manager} gave ${claimedIn(data)} to ${data.claimant}`,
  'claim.released': (data) => `${data.manager} took ${claimedIn(data)} back from ${data.claimant}`,
  'claim.refused': (data) =>
    `${data.manager} could not give ${claimedIn(data)}` +
    `${data.claimant === null ? '' : ` to ${data.claimant}`}`,
  'history.archived': (data) => `the events before position ${data.to + 1} were archived`,
  'history.removed': (data) => `the events before position ${data.to + 1} were removed`,
  'device.added': (data) => {
    const group = data.group === null ? 'without a group' : `in group ${data.group}`;
    const driver = data.driver === null ? 'no driver' : `driver ${data.driver}`;
    return `device ${data.device} was added, ${group}, with ${driver}`;
  },
  'device.removed': (data) => `device ${data.device} was removed`,
  'driver.bound': (data) => `driver ${data.driver} was bound to ${data.device}`,
  'driver.unbound': (data) => `driver ${data.driver} was unbound from ${data.device}`,
  'driver.unbind-blocked': (data) =>
    `the unbind of driver ${data.driver} from ${data.device} had to wait`,
  'driver.settled': (data) =>
    `the driver change of ${data.device} has ended, with driver ${data.driver ?? 'none'}`,

  'process.started': (data) => `${processWords(data.pid, data.comm)} started`,
  'process.found': (data, name) =>
    `${data.comm === null ? name(data.pid) : processWords(data.pid, data.comm)} was found`,
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
    if (data.pid === KERNEL_PID)
      return 'the kernel released a file that no process had a descriptor of';
    return `${name(data.pid)} closed fd ${data.fd}`;
  },
  'mapping.created': (data, name) =>
    `${name(data.pid)} mapped ${regionWords(data.region)} of fd ${data.fd}`,
  'mapping.removed': (data, name) => `${name(data.pid)} unmapped mapping ${data.mapping}`,

  'group.opened': (data, name) => `${name(data.pid)} opened group ${data.group} as fd ${data.fd}`,
  'container.opened': (data, name) => `${name(data.pid)} opened a container as fd ${data.fd}`,
  'iommufd.opened': (data, name) => `${name(data.pid)} opened an iommufd as fd ${data.fd}`,
  'device.opened': (data, name) =>
    `${name(data.pid)} opened device ${data.device} as fd ${data.fd}`,
  'path.opened': (data, name) => `${name(data.pid)} opened ${data.path} as fd ${data.fd}`,
  'container.set': (data, name) =>
    `${name(data.pid)} put the group of fd ${data.fd} into ${of('container', data.container)}`,
  'container.unset': (data, name) =>
    `${name(data.pid)} took the group of fd ${data.fd} out of its container`,
  'iommu.set': (data, name) =>
    `${name(data.pid)} gave the container of fd ${data.fd} IOMMU driver ${data.iommu ?? '?'}`,
  'device.obtained': (data, name) =>
    `${name(data.pid)} got ${data.device === null ? 'a device' : `device ${data.device}`} from the group of fd ${data.fd} as fd ${data.as}`,
  'device.bound': (data, name) =>
    `${name(data.pid)} bound the device of fd ${data.fd} to ${of('iommufd', data.iommufd)}`,
  'device.attached': (data, name) =>
    `${name(data.pid)} attached ${pasidWords(data)} to page table ${data.pt ?? '?'}`,
  'device.detached': (data, name) => `${name(data.pid)} detached ${pasidWords(data)}`,
  'ioas.allocated': (data, name) =>
    `${name(data.pid)} allocated IOAS ${data.id ?? '?'} in the iommufd of fd ${data.fd}`,
  'ioas.mapped': (data, name) =>
    `${name(data.pid)} first mapped its memory into ${data.ioas === undefined ? 'the compatible IOAS' : `IOAS ${data.ioas ?? '?'}`} of the iommufd of fd ${data.fd}`,
  'hwpt.allocated': (data, name) =>
    `${name(data.pid)} allocated page table ${data.id ?? '?'} in the iommufd of fd ${data.fd}`,
  'object.destroyed': (data, name) =>
    `${name(data.pid)} destroyed object ${data.object ?? '?'} of the iommufd of fd ${data.fd}`,
  'compat-ioas.set': (data, name) =>
    `${name(data.pid)} made IOAS ${data.ioas ?? '?'} the compatible one of the iommufd of fd ${data.fd}`,
  'compat-ioas.cleared': (data, name) =>
    `${name(data.pid)} cleared the compatible IOAS of the iommufd of fd ${data.fd}`,
  'device.reset': (data, name) => `${name(data.pid)} reset the device of fd ${data.fd}`,
  'device.hot-reset': (data, name) =>
    `${name(data.pid)} reset the bus of the device of fd ${data.fd}`,

  'operation.refused': (data, name) => {
    const who = callerWords(data, name);
    if (data.errno !== null) return `${who} tried ${callWords(data)} and got ${data.errno}`;
    return data.cause === undefined
      ? `${who} tried ${callWords(data)} and was refused; the errno is not shown`
      : `${who} concluded that the kernel would refuse ${callWords(data)}`;
  },
};

/** A device, or one of its PASIDs; null: the evidence does not show which. */
function pasidWords({ fd, pasid }: DataOf<'device.attached'> | DataOf<'device.detached'>): string {
  const device = `the device of fd ${fd}`;
  if (pasid === undefined) return device;
  return `${pasid === null ? 'a PASID' : `PASID ${pasid}`} of ${device}`;
}

/** What a claim is about: its device, or the group that is named in its place. */
function claimedIn({ device, group }: DataOf<'claim.refused'>): string {
  if (device !== null) return device;
  return group === undefined ? 'a device' : `a device of group ${group}`;
}

/** The process that was refused; `a process` if the call is not one of a process alone. */
function callerWords(data: DataOf<'operation.refused'>, name: NameOf): string {
  if (!('pid' in data)) return 'a process';
  return data.pid === null ? processWords(null, data.comm ?? null) : name(data.pid);
}

/** A file that was given as an argument; `fd` is null if the evidence does not show it. */
function of(kind: string, fd: number | null): string {
  const article = kind === 'iommufd' ? 'an' : 'a';
  return fd === null ? `${article} ${kind} that is not shown` : `the ${kind} of fd ${fd}`;
}

function regionWords(region: number | null): string {
  return region === null ? 'a region' : `region ${region}`;
}

/** Keys of a refusal that are no arguments of the call. */
const besides = new Set(['operation', 'errno', 'pid', 'comm', 'cause', 'blocker', 'evidence']);

/** The operation that was refused, and its arguments: `bind fd=4 iommufd=3`. */
function callWords(data: DataOf<'operation.refused'>): string {
  const given = Object.entries(data).filter(
    ([key, value]) =>
      !besides.has(key) && value !== undefined && (value !== null || key === 'driver'),
  );
  return [data.operation, ...given.map(pair)].join(' ');
}

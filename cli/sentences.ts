/**
 * Events in words.
 *
 * @module
 */
import type { RecordedEvent } from '../ledger.ts';
import { QUEUE } from '../processes/process-table.ts';
import { pair } from './event-row.ts';
import { processWords } from './owners.ts';
import { printable, word } from './printable.ts';

/** The events of a log by their positions. */
export interface History {
  event(position: number): RecordedEvent | undefined;
  /** What a process was called at a position. */
  commOf(pid: number, position: number): string | null;
}

type Refusal = Extract<RecordedEvent, { type: 'operation.refused' }>;

/** What to call a process at the time of an event. */
type NameOf = (pid: number) => string;

/** The event at a position as a sentence without its full stop: `P1[101] closed fd 4`. */
export function sentence(history: History, position: number): string {
  const event = history.event(position);
  if (event === undefined) return '';
  return printable(wordsOf(event, (pid) => processWords(pid, history.commOf(pid, position))));
}

function wordsOf(event: RecordedEvent, name: NameOf): string {
  return hostWords(event) ?? processEventWords(event, name) ?? vfioWords(event, name);
}

function hostWords({ type, data }: RecordedEvent): string | null {
  switch (type) {
    case 'host.booted':
      return `the host booted, kernel ${data.kernel} (${data.boot})`;
    case 'gap.noticed':
      return `${data.group === null ? 'every group' : `group ${data.group}`} is in doubt: ${data.reason}`;
    case 'snapshot.taken':
      return `the host was read, ${data.complete ? 'all of it' : 'as far as it could be seen'}`;
    case 'evidence.begun':
      return `evidence begins: ${data.format} from ${data.source}`;
    case 'group.found':
      return `group ${data.group} was seen to be there`;
    case 'claim.granted':
      return `${data.manager} gave ${data.device} to ${data.claimant}`;
    case 'claim.released':
      return `${data.manager} took ${data.device} back from ${data.claimant}`;
    case 'claim.refused':
      return `${data.manager} could not give ${data.device} to ${data.claimant}`;
    case 'history.archived':
      return `what is before position ${data.to + 1} was archived`;
    case 'history.removed':
      return `what is before position ${data.to + 1} was removed`;
    case 'device.added': {
      const group = data.group === null ? 'without a group' : `in group ${data.group}`;
      const driver = data.driver === null ? 'no driver' : `driver ${data.driver}`;
      return `device ${data.device} was there, ${group}, with ${driver}`;
    }
    case 'device.removed':
      return `device ${data.device} was removed`;
    case 'driver.bound':
      return `driver ${data.driver} was bound to ${data.device}`;
    case 'driver.unbound':
      return `driver ${data.driver} was unbound from ${data.device}`;
    case 'driver.unbind-blocked':
      return `the unbind of driver ${data.driver} from ${data.device} had to wait`;
    case 'driver.settled':
      return `the driver of ${data.device} was changed, to ${data.driver ?? 'none'}`;
    default:
      return null;
  }
}

function processEventWords({ type, data }: RecordedEvent, name: NameOf): string | null {
  switch (type) {
    case 'process.started':
      return `${processWords(data.pid, data.comm)} started`;
    case 'process.found':
      return `${processWords(data.pid, data.comm)} was there`;
    case 'process.forked':
      return `${name(data.pid)} forked ${processWords(data.child, data.comm)}`;
    case 'process.executed':
      return `${name(data.pid)} executed another program`;
    case 'process.exited':
      if (data.signal === null) return `${name(data.pid)} exited`;
      return `${name(data.pid)} was killed by ${data.signal}`;
    case 'descriptor.duplicated':
      return `${name(data.pid)} duplicated fd ${data.fd} as fd ${data.as}`;
    case 'descriptor.passed':
      return `${name(data.pid)} passed fd ${data.fd} to ${name(data.to)}, as fd ${data.as}`;
    case 'descriptor.flagged':
      return `${name(data.pid)} ${data.cloexec ? 'set' : 'cleared'} close-on-exec of fd ${data.fd}`;
    case 'file.released':
      return `the kernel released a file of kind ${data.kind}`;
    case 'descriptor.closed':
      if (data.pid === QUEUE) return 'the kernel let go of a file that nobody had a descriptor of';
      return `${name(data.pid)} closed fd ${data.fd}`;
    case 'mapping.created':
      return `${name(data.pid)} mapped ${regionWords(data.region)} of fd ${data.fd}`;
    case 'mapping.removed':
      return `${name(data.pid)} unmapped mapping ${data.mapping}`;
    default:
      return null;
  }
}

/** Everything else is something that a process did to a file of VFIO's or iommufd's. */
function vfioWords(event: RecordedEvent, name: NameOf): string {
  const { data } = event;
  const who = 'pid' in data ? name(data.pid) : 'somebody';
  return `${who} ${deedOf(event)}`;
}

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

function callWords(data: Refusal['data']): string {
  const given = Object.entries(data).filter(
    ([key, value]) =>
      !besides.has(key) && value !== undefined && (value !== null || key === 'driver'),
  );
  return [data.operation, ...given.map(pair)].join(' ');
}

function deedOf(event: RecordedEvent): string {
  const { type, data } = event;
  switch (type) {
    case 'group.opened':
      return `opened group ${data.group} as fd ${data.fd}`;
    case 'container.opened':
      return `opened a container as fd ${data.fd}`;
    case 'iommufd.opened':
      return `opened an iommufd as fd ${data.fd}`;
    case 'device.opened':
      return `opened device ${data.device} as fd ${data.fd}`;
    case 'path.opened':
      return `opened ${data.path} as fd ${data.fd}`;
    case 'container.set':
      return `put the group of fd ${data.fd} into ${of('container', data.container)}`;
    case 'container.unset':
      return `took the group of fd ${data.fd} out of its container`;
    case 'iommu.set':
      return `gave the container of fd ${data.fd} IOMMU driver ${data.iommu ?? '?'}`;
    case 'device.obtained':
      return `got ${data.device === null ? 'a device' : `device ${data.device}`} from the group of fd ${data.fd} as fd ${data.as}`;
    case 'device.bound':
      return `bound the device of fd ${data.fd} to ${of('iommufd', data.iommufd)}`;
    case 'device.attached':
      return `attached the device of fd ${data.fd} to page table ${data.pt ?? '?'}`;
    case 'device.detached':
      return `detached the device of fd ${data.fd}`;
    case 'ioas.allocated':
      return `allocated IOAS ${data.id ?? '?'} in the iommufd of fd ${data.fd}`;
    case 'hwpt.allocated':
      return `allocated page table ${data.id ?? '?'} in the iommufd of fd ${data.fd}`;
    case 'object.destroyed':
      return `destroyed object ${data.object ?? '?'} of the iommufd of fd ${data.fd}`;
    case 'compat-ioas.set':
      return `made IOAS ${data.ioas ?? '?'} the compatible one of the iommufd of fd ${data.fd}`;
    case 'compat-ioas.cleared':
      return `cleared the compatible IOAS of the iommufd of fd ${data.fd}`;
    case 'device.reset':
      return `reset the device of fd ${data.fd}`;
    case 'device.hot-reset':
      return `reset the bus of the device of fd ${data.fd}`;
    case 'operation.refused':
      return `tried ${callWords(data)} and got ${data.errno}`;
    default:
      return `${type} ${word(data)}`;
  }
}

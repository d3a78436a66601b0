/**
 * The lineage of a file: how each of its holders came by it, from the open on.
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import { fileOpenedBy, type FileId, type Process } from '../processes/process-table.ts';
import type { Descent, Step } from './shapes.ts';
import { keyOf } from './subjects.ts';
import type { Timeline } from './timeline.ts';

/** A place that a file can be held at: a process and a descriptor, or an address of it. */
type Place = `${number} ${'fd' | 'mapping'} ${number}`;
type Chains = Map<Place, readonly Step[]>;

/**
 * For each holder of a file at a position: the events through which it came by it, the open first,
 * then every dup, fork, pass and mapping.
 */
export function lineageOf(timeline: Timeline, file: FileId, position: number): Descent[] {
  const chains: Chains = new Map();
  for (const at of timeline.positionsOf(keyOf({ kind: 'file', id: file }))) {
    if (at <= position) follow(chains, timeline.at(at), file);
  }
  const places = [...timeline.hostAt(position).processes.processes()].flatMap((process) => [
    ...placesIn(
      process,
      'fd',
      [...process.descriptors].map(([fd, held]) => [fd, held.file]),
    ),
    ...placesIn(process, 'mapping', [...process.mappings]),
  ]);
  return places
    .filter((place) => place.file === file)
    .map(({ number, ...holder }) => ({
      ...holder,
      chain: chains.get(`${holder.pid} ${holder.via} ${number}`) ?? [],
    }));
}

function placesIn(
  { pid, comm, cgroup }: Process,
  via: 'fd' | 'mapping',
  held: readonly (readonly [number, FileId])[],
) {
  return held.map(([number, file]) => {
    return { pid, comm, cgroup, via, fd: via === 'fd' ? number : null, file, number };
  });
}

/** Takes an event into the chains. Places that were left are overwritten when they are taken again. */
function follow(chains: Chains, event: Placed, file: FileId): void {
  const { position, type } = event;
  const pass = (from: Place | null, to: Place, pid: number, fd: number | null): void => {
    const before = from === null ? [] : chains.get(from);
    if (before !== undefined) chains.set(to, [...before, { position, type, pid, fd }]);
  };
  if (fileOpenedBy(event) === file && 'fd' in event.data) {
    const { pid } = event.data;
    const fd = event.type === 'device.obtained' ? event.data.as : event.data.fd;
    return pass(null, `${pid} fd ${fd}`, pid, fd);
  }
  switch (event.type) {
    case 'descriptor.duplicated':
      return pass(
        `${event.data.pid} fd ${event.data.fd}`,
        `${event.data.pid} fd ${event.data.as}`,
        event.data.pid,
        event.data.as,
      );
    case 'descriptor.passed':
      return pass(
        `${event.data.pid} fd ${event.data.fd}`,
        `${event.data.to} fd ${event.data.as}`,
        event.data.to,
        event.data.as,
      );
    case 'mapping.created':
      return pass(
        `${event.data.pid} fd ${event.data.fd}`,
        `${event.data.pid} mapping ${event.data.mapping}`,
        event.data.pid,
        null,
      );
    case 'descriptor.closed':
      chains.delete(`${event.data.pid} fd ${event.data.fd}`);
      return;
    case 'mapping.removed':
      chains.delete(`${event.data.pid} mapping ${event.data.mapping}`);
      return;
    case 'process.forked':
      for (const [place] of chains) {
        const [pid, via, number] = place.split(' ');
        if (Number(pid) !== event.data.pid) continue;
        const fd = via === 'fd' ? Number(number) : null;
        pass(place, `${event.data.child} ${via} ${number}` as Place, event.data.child, fd);
      }
      return;
    default:
  }
}

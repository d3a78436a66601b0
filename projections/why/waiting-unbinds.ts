/**
 * The unbinds of a slice that waited for files which the slice leaves out. Without these files they
 * do not wait, so the slice has what came of them in the history instead.
 *
 * @module
 */
import type { Fact, Placed } from '../../events/vocabulary.ts';
import type { FileId } from '../../processes/process-table.ts';
import { follow } from '../follow.ts';
import type { Timeline } from '../timeline.ts';

/** What an unbind that waited is replaced by. */
interface Unbind {
  readonly unbound: Placed<Fact>;
  /** The bind of the next driver, at the event that ended the unbind; null if there was none. */
  readonly bound: Placed<Fact> | null;
}

/**
 * Replaces an event of a slice that has the files `files` and ends at `last`. Null if the event is
 * not an unbind that waited, if it waited for one of `files`, or if no such file is known.
 */
export function unbindWithout(
  timeline: Timeline,
  { type, data, position }: Placed<Fact>,
  files: ReadonlySet<FileId>,
  last: number,
): Unbind | null {
  if (type !== 'driver.unbind-blocked') return null;
  const { device, driver, next } = data;
  const view = timeline.viewAt(position);
  const group = view.device(device)?.group ?? null;
  const [ofDevice, ofGroup]: [FileId[], FileId[]] = [[], []];
  for (const file of view.files()) {
    if (file.device === device) ofDevice.push(file.id);
    else if (file.kind === 'group' && file.group === group) ofGroup.push(file.id);
  }
  // Without an open file of the device, it waited for the container of the group.
  const waitedFor = ofDevice.length > 0 ? ofDevice : ofGroup;
  if (waitedFor.length === 0 || waitedFor.some((id) => files.has(id))) return null;
  const part = { files: waitedFor, groups: group === null ? [] : [group] };
  let bound: Placed<Fact> | null = null;
  follow(timeline, position, last + 1, (host, at) => {
    const now = host.device(device);
    if (now?.state === 'leaving') return part;
    if (next !== null && now?.driver === next) {
      bound = {
        type: 'driver.bound',
        data: { device, driver: next, cdev: now.cdev },
        position: at,
      };
    }
    return null;
  });
  return { unbound: { type: 'driver.unbound', data: { device, driver }, position }, bound };
}

/**
 * Drivers that are bound and unbound by writing to files of theirs in `/sys`.
 *
 * @module
 */
import type { Deed } from '../sighting.ts';
import { valueIn } from './probes.ts';
import { deviceNamed, resultOf } from './values.ts';

/** What a thread does to drivers. */
export interface Driving {
  /** The device that the path says whose driver is unbound by writing to the file opened last. */
  unbound: string | null;
  write: Write | null;
}

interface Write {
  readonly device: string;
  readonly driver: string | null;
  /** The function that does it. */
  readonly within: string;
}

const NOTHING: readonly Deed[] = [];

/** What an event shows a thread do to a driver: that it begins to, or has done it. */
export function drivenBy(name: string, text: string, task: Driving): readonly Deed[] {
  const { write } = task;
  const within = name.replace(/_ret$/, '');
  if (within === name) {
    // The driver of VFIO unregisters a device within an unbind.
    if (write !== null) return NOTHING;
    task.write = writeIn(within, text, task.unbound);
    if (task.write === null || within === 'bind_store') return NOTHING;
    return [{ did: 'unbind', device: task.write.device, driver: task.write.driver, done: false }];
  }
  if (write?.within !== within) return NOTHING;
  task.write = null;
  const { device, driver } = write;
  const value = valueIn(text);
  if (within === 'bind_store') {
    if (driver === null || Number.isNaN(value)) return NOTHING;
    return [{ did: 'bind-driver', device, driver, result: resultOf(value) }];
  }
  return value < 0 ? NOTHING : [{ did: 'unbind', device, driver, done: true }];
}

/** Which node a device gets when a driver of VFIO's is bound. */
export function nodeGivenIn(text: string): readonly Deed[] {
  const [, cdev, named = ''] = / node="(vfio\d+)" device="([^"]*)"/.exec(text) ?? [];
  const device = deviceNamed(named);
  return cdev === undefined || device === null ? NOTHING : [{ did: 'node', device, cdev }];
}

/** What is written may end with a line feed, which the trace has as it is: it ends the line. */
const STORED = / driver="([^"]*)" device="([^"]*)/;

function writeIn(within: string, text: string, unbound: string | null): Write | null {
  if (within === 'unregister') {
    return unbound === null ? null : { device: unbound, driver: null, within };
  }
  const [, driver = null, written = ''] = STORED.exec(text) ?? [];
  const device = deviceNamed(written);
  return device === null ? null : { device, driver, within };
}

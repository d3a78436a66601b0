/**
 * Reads binds and unbinds of drivers, which are writes to files in `/sys`.
 *
 * @module
 */
import type { Deed } from '../sighting.ts';
import { valueIn } from './probes.ts';
import { deviceNamed, resultOf } from './values.ts';

/** A thread's current work on drivers. */
export interface Driving {
  /** The device whose driver a write to the last opened file would unbind, by its path. */
  unbound: string | null;
  write: Write | null;
}

interface Write {
  readonly device: string;
  readonly driver: string | null;
  /** The kernel function that is running. */
  readonly within: string;
}

const NOTHING: readonly Deed[] = [];

/** The deed of a probe: an unbind that begins, or a bind or unbind that has ended. */
export function drivenBy(name: string, text: string, task: Driving): readonly Deed[] {
  const { write } = task;
  const within = name.replace(/_ret$/, '');
  if (within === name) {
    // VFIO unregisters a device during an unbind.
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

/** The node that a device gets when a VFIO driver is bound. */
export function nodeGivenIn(text: string): readonly Deed[] {
  const [, cdev, named = ''] = / node="(vfio\d+)" device="([^"]*)"/.exec(text) ?? [];
  const device = deviceNamed(named);
  return cdev === undefined || device === null ? NOTHING : [{ did: 'node', device, cdev }];
}

/** The written text may end with a line feed. The trace does not escape it, so it ends the line. */
const STORED = / driver="([^"]*)" device="([^"]*)/;

function writeIn(within: string, text: string, unbound: string | null): Write | null {
  if (within === 'unregister') {
    return unbound === null ? null : { device: unbound, driver: null, within };
  }
  const [, driver = null, written = ''] = STORED.exec(text) ?? [];
  const device = deviceNamed(written);
  return device === null ? null : { device, driver, within };
}

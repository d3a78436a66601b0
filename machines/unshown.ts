/**
 * What stands in the place of something that the evidence does not show.
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import type { Device, Group, Instances } from './host.ts';

/** For a number: none that the kernel would take. */
export const UNSHOWN = -0x8000_0000;
/** For the range of a mapping: any page. */
export const SOME_RANGE = { iova: 0, size: 4096 } as const;
/** For the name of a device. */
export const UNNAMED = '?';
/** For a file: one that a call will open, or that nobody has seen to be opened. */
export const NAMELESS: FileId = 'f?';
/** For a file that is none of those that are known, nor a nameless one. */
export const STRANGER: FileId = 'f??';

/** A device of a group, as one begins that has a driver. */
export function unnamedDevice(group: Group, fresh: Instances['device']): Device {
  const nothing = { name: null, model: null, driver: null, cdev: null };
  return { device: UNNAMED, group, ...nothing, ...fresh, state: 'idle' };
}

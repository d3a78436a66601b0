/**
 * Placeholders for what the evidence does not show.
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import type { Device, Group, Instances } from './instances.ts';

/** For a number: one that the kernel never accepts. */
export const UNSHOWN = -0x8000_0000;
/** For the range of a mapping: any page. */
export const SOME_RANGE = { iova: 0, size: 4096 } as const;
/** For the name of a device. */
export const UNNAMED = '?';
/** For a file that a call will open, or whose open was not recorded. */
export const NAMELESS: FileId = 'f?';
/** For a file that is neither a known one nor `NAMELESS`. */
export const STRANGER: FileId = 'f??';

/** A placeholder for a device of a group, in the state `idle`. */
export function unnamedDevice(group: Group, fresh: Instances['device']): Device {
  const named = { name: null, model: null, port: null, driver: null, cdev: null };
  const nothing = { ...named, isInDoubt: false };
  return { device: UNNAMED, group, ...nothing, ...fresh, state: 'idle' };
}

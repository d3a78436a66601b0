/**
 * Compares the path that a trace shows for a descriptor with a known file.
 *
 * @module
 */
import { isUnnamedDevice, nodeOf } from './nodes.ts';
import type { Seen } from './traced.ts';

/** Whether a path is that of a VFIO or iommufd file. */
export function isOurs(path: string): boolean {
  return isUnnamedDevice(path) || nodeOf(path) !== null;
}

/** Whether a file may be the one whose path is shown. */
export function isOf(seen: Seen, path: string): boolean {
  if (isUnnamedDevice(path)) return seen.kind === 'device' && seen.path === null;
  const [shown, own] = [nodeOf(path), seen.path === null ? null : nodeOf(seen.path)];
  return shown !== null && shown.kind === own?.kind && shown.name === own.name;
}

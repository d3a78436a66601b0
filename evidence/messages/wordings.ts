/**
 * All wordings of refusals that a message is searched for.
 *
 * @module
 */
import { anyProgram } from './wordings/any-program.ts';
import { dataplane } from './wordings/dataplane.ts';
import { driverChanges } from './wordings/driver-changes.ts';
import { managers } from './wordings/managers.ts';
import { qemu } from './wordings/qemu.ts';
import { rust } from './wordings/rust.ts';
import { patternOf, type Wording } from './wordings/wording.ts';

/** A row of the table with its pattern. */
export interface SearchedWording extends Wording {
  readonly pattern: RegExp;
}

export const wordings: readonly SearchedWording[] = [
  ...anyProgram,
  ...qemu,
  ...dataplane,
  ...rust,
  ...managers,
  ...driverChanges,
].map((wording) => ({ ...wording, pattern: patternOf(wording) }));

/** Parts of words by which a line is found that names neither VFIO, nor the IOMMU, nor an address. */
export const marks: readonly string[] = [
  ...new Set(wordings.flatMap(({ mark }) => (mark === undefined ? [] : [mark]))),
];

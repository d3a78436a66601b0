/**
 * `Wording`: how a program says that it was refused. A row of a table: data, without code.
 *
 * @module
 */
import type { Report } from '../../sighting.ts';
import { ATTRIBUTE } from '../driver-writes.ts';
import { ERRNO } from '../errnos.ts';
import { BDF, DEVICE, NODE } from '../names.ts';

export type ReportedOperation = Report['operation'];

export interface Wording {
  /** The program that prints it, its versions, and the file and function of its source. */
  readonly program: string;
  readonly versions: string;
  readonly source: string;
  /** Null: the node in the words decides. */
  readonly operation: ReportedOperation | null;
  /** A pattern, without regard to case. `{device}` and so on are slots: see `slots`. */
  readonly words: string;
  /** A message that has the words. */
  readonly sample: string;
  /** Where the errno stands. Left out: `behind`. */
  readonly errno?: ErrnoPlace;
  /** The driver of a change, if the words mean it and do not name it. */
  readonly driver?: string;
  /** The cause that the program found by a check of its own, without a call of the kernel: there is no errno. */
  readonly concluded?: string;
  /** What else must be there, because the words are not specific. Left out: nothing. */
  readonly needs?: WordingNeed;
  /** The words may repeat a refusal of one of these operations that was reported just before. */
  readonly repeats?: readonly ReportedOperation[];
  /** A part of the words by which a line is found that names neither VFIO, nor the IOMMU, nor an address. */
  readonly mark?: string;
}

/**
 * `behind`: in the same clause, behind the words; a line without it is no refusal. `near`: behind the
 * words at once. `said`: within the words. `optional`: as `behind`, but the program may leave it out.
 * `hidden`: the program prints none, or always the same one.
 */
type ErrnoPlace = 'behind' | 'near' | 'said' | 'optional' | 'hidden';

/** `vfio`: the line mentions VFIO. `change`: a command asked for a change of a driver just before. */
type WordingNeed = 'vfio' | 'change';

/** What stands for a slot. The name of a slot is that of a group of the pattern. */
const slots: Readonly<Record<string, string>> = {
  device: `(?<device>${DEVICE})`,
  group: String.raw`(?<group>(?:noiommu-)?\d{1,7})`,
  node: `(?<node>${NODE})`,
  driver: String.raw`(?<driver>[\w-]{1,64})`,
  /** A file of /sys by which a driver is changed. */
  attribute: `(?<attribute>${ATTRIBUTE})`,
  /** The errno, by number, by name or in words. */
  number: String.raw`(?<number>\d{1,3})`,
  name: `(?<name>${ERRNO})`,
  said: String.raw`(?<said>[^:'"\n]{1,60})`,
  /** What is in the way. */
  ofGroup: String.raw`(?<ofGroup>\d{1,7})`,
  ofDevice: `(?<ofDevice>${BDF})`,
  failed: String.raw`(?:failed to|could ?n[o']t|cannot|can't|unable to|error)`,
};

/** The pattern of a wording; it is to be used from the start of a text. */
export function patternOf({ words }: Wording): RegExp {
  const pattern = words.replace(/\{([a-z]+)\}/gi, (slot, name: string) => slots[name] ?? slot);
  return new RegExp(pattern, 'gi');
}

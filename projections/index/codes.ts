/**
 * Names by number. Groups and devices keep theirs for good; texts and numbers are a segment's own.
 *
 * @module
 */
import { Dictionary } from './columns.ts';

export interface Codes {
  readonly groups: Dictionary<string>;
  readonly devices: Dictionary<string>;
  readonly texts: Dictionary<string>;
  readonly numbers: Dictionary<number>;
}

/** As plain data. */
export type SavedCodes = { readonly [name in keyof Codes]: Codes[name]['values'] };

export function codesOf(saved: Partial<SavedCodes> = {}): Codes {
  return {
    groups: new Dictionary(saved.groups),
    devices: new Dictionary(saved.devices),
    texts: new Dictionary(saved.texts),
    numbers: new Dictionary(saved.numbers),
  };
}

export function saveCodes({ groups, devices, texts, numbers }: Codes): SavedCodes {
  return {
    groups: groups.values,
    devices: devices.values,
    texts: texts.values,
    numbers: numbers.values,
  };
}

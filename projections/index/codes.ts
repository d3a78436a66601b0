/**
 * Dictionaries that give each name a number, its code. The codes of groups and devices hold for the
 * whole stream; each segment has its own codes of texts and numbers.
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

/** Codes as JSON: the values of each dictionary, in the order of their codes. */
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

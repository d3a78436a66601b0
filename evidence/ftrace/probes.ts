/**
 * Fields of the probes that show what the kernel does within a call.
 *
 * @module
 */
import { EvidenceError } from '../importer.ts';
import { requestOf } from '../../operations/table.ts';
import type { TracedWords } from '../../operations/traced-words.ts';
import { field, hasFlag, numberIn, quotedField } from './values.ts';

const SET_CONTAINER = requestOf('set_container');
const GET_DEVICE_FD = requestOf('get_device');
const O_CLOEXEC = 0x80000;

/** What a function came back with; NaN where it does not show. */
export function valueIn(text: string): number {
  return numberIn(field(text, 'ret') ?? '');
}

/** Throws `EvidenceError` where there is none: such an event has no other meaning. */
export function fileIn(name: string, text: string): string {
  const file = field(text, 'file');
  if (file === null || !/^(?:0x)?[\da-f]{1,16}$/.test(file)) {
    throw new EvidenceError(`${name} without a 'file'`);
  }
  return file;
}

/** What `open_path` says of an open; null where it does not. */
export function openedIn(text: string): { path: string | null; cloexec: boolean | null } {
  // Before the path, which may hold anything.
  const flags = field(text.split(' path="', 1)[0] ?? '', 'flags');
  return {
    path: quotedField(text, 'path'),
    cloexec: flags === null ? null : hasFlag(flags, O_CLOEXEC, 'O_CLOEXEC'),
  };
}

/** The arguments of an ioctl that the kernel has taken from the caller. */
export function wordsIn(probe: string, text: string): TracedWords {
  const number = <Key extends string>(key: Key, name: string = key) => {
    const value = numberIn(field(text, name) ?? '');
    return (Number.isNaN(value) ? {} : { [key]: value }) as { readonly [K in Key]?: number };
  };
  switch (probe) {
    case 'bind':
      return { ...number('iommufd'), ...number('argsz'), ...number('flags') };
    case 'attach':
      return { ...number('pt', 'pt_id'), ...number('argsz'), ...number('flags') };
    case 'claim_device': {
      const claimed = field(text, 'dev');
      return claimed === null ? {} : { claimed };
    }
    case 'iommufd_destroy':
      return number('object', 'id');
    default: {
      const request = numberIn(field(text, 'cmd') ?? '');
      if (request === SET_CONTAINER) return number('container', 'word');
      const device = request === GET_DEVICE_FD ? quotedField(text, 'name') : null;
      return device === null ? {} : { device };
    }
  }
}

/** Where a mapping lies; null where it does not show. */
export function extentIn(
  text: string,
): { readonly address: number; readonly length: number } | null {
  const address = numberIn(field(text, 'start') ?? '');
  const length = numberIn(field(text, 'end') ?? '') - address;
  return Number.isNaN(length) ? null : { address, length };
}

/**
 * Reads the fields of the probes that `recorder/ftrace.sh` sets on kernel functions.
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

/** The return value of a function; NaN if it is not shown. */
export function valueIn(text: string): number {
  return numberIn(field(text, 'ret') ?? '');
}

/** The address of the `struct file`. Throws `EvidenceError` if it is missing. */
export function fileIn(name: string, text: string): string {
  const file = field(text, 'file');
  if (file === null || !/^(?:0x)?[\da-f]{1,16}$/.test(file)) {
    throw new EvidenceError(`${name} without a 'file'`);
  }
  return file;
}

/** The path and the O_CLOEXEC flag of `open_path`; null if not shown. */
export function openedIn(text: string): { path: string | null; cloexec: boolean | null } {
  // Searched before the path only: a path may contain anything.
  const flags = field(text.split(' path="', 1)[0] ?? '', 'flags');
  return {
    path: quotedField(text, 'path'),
    cloexec: flags === null ? null : hasFlag(flags, O_CLOEXEC, 'O_CLOEXEC'),
  };
}

/** The arguments of an ioctl, as the kernel copied them from the caller. */
export function wordsIn(probe: string, text: string): TracedWords {
  const number = <Key extends string>(key: Key, name: string = key) => {
    const value = numberIn(field(text, name) ?? '');
    return (Number.isNaN(value) ? {} : { [key]: value }) as { readonly [K in Key]?: number };
  };
  const shape = () => ({ ...number('argsz'), ...number('flags') });
  switch (probe) {
    case 'bind':
      return { ...number('iommufd'), ...shape() };
    case 'attach':
      return { ...number('pt', 'pt_id'), ...shape(), ...number('pasid') };
    case 'detach':
      return { ...shape(), ...number('pasid') };
    case 'claim_device': {
      const claimed = field(text, 'dev');
      return claimed === null ? {} : { claimed };
    }
    case 'iommufd_destroy':
      return number('object', 'id');
    case 'hwpt_alloc':
      return { ...number('flags'), ...number('pt', 'pt_id') };
    case 'ioas_map':
      return number('ioas', 'ioas_id');
    case 'compat_ioas':
      return { ...number('ioas', 'ioas_id'), ...number('op') };
    default: {
      const request = numberIn(field(text, 'cmd') ?? '');
      if (request === SET_CONTAINER) return number('container', 'word');
      const device = request === GET_DEVICE_FD ? quotedField(text, 'name') : null;
      return device === null ? {} : { device };
    }
  }
}

/** The address and length of a mapping in bytes; null if not shown. */
export function extentIn(
  text: string,
): { readonly address: number; readonly length: number } | null {
  const address = numberIn(field(text, 'start') ?? '');
  const length = numberIn(field(text, 'end') ?? '') - address;
  return Number.isNaN(length) ? null : { address, length };
}

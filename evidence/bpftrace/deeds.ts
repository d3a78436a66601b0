/**
 * Turns records of the probes in `recorder/vfio.bt` into deeds.
 *
 * @module
 */
import { EvidenceError } from '../importer.ts';
import { sharesWith } from '../ftrace/calls.ts';
import { commOf, deviceNamed, deviceUnboundBy, resultOf } from '../ftrace/values.ts';
import { requestOf } from '../../operations/table.ts';
import type { TracedWords } from '../../operations/traced-words.ts';
import type { Deed } from '../sighting.ts';
import type { BpfRecord } from './record.ts';

const O_CLOEXEC = 0x80000;
const CLOSE_RANGE_CLOEXEC = 4;

/** The argument that `word` is, by request. */
const WORDS: Readonly<Partial<Record<number, (typeof NAMED)[number]>>> = {
  [requestOf('set_container')]: 'container',
  [requestOf('bind')]: 'iommufd',
  [requestOf('attach')]: 'pt',
};

/** The arguments that a record has by name. */
const NAMED = [
  'iommufd',
  'pt',
  'container',
  'value',
  'argsz',
  'flags',
  'id',
  'ioas',
  'object',
  'op',
  'pasid',
] as const;

/**
 * The deed that a record shows; null if it shows none, or is of another probe. Throws `EvidenceError`
 * if a key is missing.
 */
export function deedIn(record: BpfRecord): Deed | null {
  const { ev } = record;
  const result = () => resultOf(record.required('rc'));
  const on = () => ({ fd: record.required('fd'), path: null });
  switch (ev) {
    case 'open':
    case 'openat':
    case 'openat2':
      return {
        did: 'open',
        path: textOf(record),
        cloexec: ((record.number('flags') ?? 0) & O_CLOEXEC) !== 0,
        result: result(),
        file: shownFile(record),
      };
    case 'ioctl': {
      const request = record.required('cmd') >>> 0;
      const words = wordsIn(record, request);
      const file = shownFile(record);
      return { did: 'ioctl', on: on(), requests: [request], words, result: result(), file };
    }
    case 'close':
      return { did: 'close', on: on(), result: result() };
    case 'close_range': {
      const isClosed = ((record.number('flags') ?? 0) & CLOSE_RANGE_CLOEXEC) === 0;
      const [first, last] = [record.required('first') >>> 0, record.required('last') >>> 0];
      return isClosed && 'rc' in result() ? { did: 'close-range', first, last } : null;
    }
    case 'dup': {
      const to = record.number('to');
      const cloexec = record.number('cloexec') === 1;
      return to === record.required('fd')
        ? null
        : { did: 'dup', on: on(), to, cloexec, result: result() };
    }
    case 'cloexec':
      return { did: 'cloexec', on: on(), cloexec: record.required('cloexec') !== 0 };
    case 'mmap': {
      const [address, length] = [record.required('addr'), record.required('len')];
      return { did: 'mmap', on: on(), address, length, result: result() };
    }
    case 'munmap':
      return { did: 'munmap', address: record.required('addr'), length: record.required('len') };
    case 'install':
      return { did: 'install', fd: record.required('fd'), file: fileOf(record) };
    case 'unbind': {
      const device = deviceOf(textOf(record));
      const done = record.required('done') !== 0;
      return device === null ? null : { did: 'unbind', device, driver: record.driver, done };
    }
    case 'bind_driver': {
      const device = deviceOf(textOf(record));
      const { driver } = record;
      return device === null || driver === null
        ? null
        : { did: 'bind-driver', device, driver, result: result() };
    }
    case 'device_release':
      return { did: 'release', kind: 'device', file: fileOf(record) };
    case 'group_release':
      return { did: 'release', kind: 'group', file: fileOf(record) };
    case 'iommufd_release':
      return { did: 'release', kind: 'iommufd', file: fileOf(record) };
    case 'container_release':
      return { did: 'release', kind: 'container', file: fileOf(record) };
    default:
      return lifeIn(record);
  }
}

/** The deed of a record about the life of a process. */
function lifeIn(record: BpfRecord): Deed | null {
  switch (record.ev) {
    case 'fork': {
      const flags = record.number('flags');
      const shares = flags === null ? null : sharesWith(flags);
      return { did: 'fork', child: record.required('child'), childComm: null, shares };
    }
    case 'exec':
      return { did: 'exec', program: record.text === null ? null : commOf(record.text) };
    case 'exit':
      return { did: 'exit', whole: record.number('whole') === 1, signal: null };
    default:
      return null;
  }
}

function wordsIn(record: BpfRecord, request: number): TracedWords {
  const words: { -readonly [Key in (typeof NAMED)[number]]?: number } & { device?: string } = {};
  for (const name of NAMED) {
    const number = record.number(name);
    if (number !== null) words[name] = number;
  }
  const word = WORDS[request];
  const value = record.number('word');
  if (word !== undefined && value !== null) words[word] = value;
  if (record.text !== null && record.text !== '') words.device = record.text;
  return words;
}

/** The device of a text that was written to a driver's file, or of the path of a device's file. */
function deviceOf(text: string): string | null {
  return deviceNamed(text) ?? deviceUnboundBy(text);
}

function textOf(record: BpfRecord): string {
  if (record.text === null) throw new EvidenceError(`${record.ev} without a path`);
  return record.text;
}

function fileOf(record: BpfRecord): string {
  const file = shownFile(record);
  if (file === null) throw new EvidenceError(`${record.ev} without a 'file'`);
  return file;
}

/** The address of the file; null if no probe has seen it. */
function shownFile({ file }: BpfRecord): string | null {
  return file === '0x0' ? null : file;
}

/**
 * The words for a subject, as people write them, as paths, and as answers print them.
 *
 * | kind | words |
 * |---|---|
 * | process | `pid:4711`, `pid 4711`, `qemu[4711]` |
 * | file | `f12`, `file:f12`, `file f12`, `iommufd f12` |
 * | group | `26`, `g26`, `group 26`, `noiommu-26`, `/dev/vfio/26`, `/sys/kernel/iommu_groups/26` |
 * | device | its address (`0000:3b:00.0`, `3b:00.0`), the UUID of an mdev, a name, `vfio3`, `device gpu`, and as a path `/dev/vfio/devices/vfio3`, `/sys/bus/pci/devices/0000:3b:00.0` |
 *
 * Anything else is the name of a device.
 *
 * @module
 */
import type { SubjectKind } from './subjects.ts';

/** A subject as a word names it. */
export interface NamedSubject {
  readonly kind: SubjectKind;
  /** The id in the log: the most likely one, and any other that it may have there. */
  readonly ids: readonly [string, ...string[]];
  /** The name of a process, if the word has it. */
  readonly comm?: string;
}

/** Parses a word. It does not look the word up in a log, and so knows no name of a device. */
export function parseSubject(word: string): NamedSubject {
  const [, pid] = /^pid[: ](.+)$/.exec(word) ?? [];
  if (pid !== undefined) return { kind: 'process', ids: [pid] };
  const [, comm, inBrackets] = /^(.+)\[(\d+)\]$/.exec(word) ?? [];
  if (comm !== undefined) return { kind: 'process', ids: [inBrackets ?? ''], comm };
  const [, file] = /^file[: ](.+)$/.exec(word) ?? /^(?:iommufd )?(f\d+)$/.exec(word) ?? [];
  if (file !== undefined) return { kind: 'file', ids: [file] };
  const [, noiommu, group] = groupWord.exec(word) ?? [];
  if (group !== undefined) {
    const unprotected = `noiommu-${group}`;
    return {
      kind: 'group',
      ids: noiommu === undefined ? [group, unprotected] : [unprotected, group],
    };
  }
  const device = word.replace(/^device |^\/dev\/vfio\/devices\/|^\/sys\/.*\/(?=[^/]+\/?$)/, '');
  return { kind: 'device', ids: [device.replace(/\/$/, '')] };
}

const groupWord = /^(?:g|group |\/dev\/vfio\/|\/sys\/kernel\/iommu_groups\/)?(noiommu-)?(\d+)$/;

/** Whether two words are the same address or UUID; the domain of a PCI address may be left out. */
export function isSameAddress(word: string, device: string): boolean {
  if (
    !/^(?:[\da-f]{4,8}:)?[\da-f]{2}:[\da-f]{2}\.[0-7]$|^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(
      word,
    )
  )
    return false;
  const [asked, known] = [word.toLowerCase(), device.toLowerCase()];
  return known === asked || (asked.length === SHORT && known.endsWith(`:${asked}`));
}

/** Length of an address without its domain. */
const SHORT = '3b:00.0'.length;

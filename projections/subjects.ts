/**
 * Subjects: the devices, groups, files and processes of a host, and which events concern them.
 *
 * @module
 */
import type { DataOf, Fact, Placed } from '../events/vocabulary.ts';
import type { Concerned, LiveHost } from '../machines/live-host.ts';
import { UNNAMED } from '../machines/unshown.ts';
import { addressSpaceEndedBy, effectOf } from '../processes/effects.ts';
import { fileOpenedBy, TERMINAL, type FileId } from '../processes/process-table.ts';
import { parseSubject } from './subject-words.ts';

export const subjectKinds = ['device', 'group', 'process', 'file'] as const;
export type SubjectKind = (typeof subjectKinds)[number];

/** A subject; `id` is a PCI address, a group number, a pid or a file id (`f12`). */
export interface Subject {
  readonly kind: SubjectKind;
  readonly id: string;
}

/** A subject as one string, for maps. */
export type SubjectKey = `${SubjectKind} ${string}`;

export function keyOf({ kind, id }: Subject): SubjectKey {
  return `${kind} ${id}`;
}

/** Is called with a subject: a pid, or the address, number or id of `Subject`. */
export type NoteSubject = (kind: SubjectKind, id: string | number) => void;

/**
 * Calls `note` with each subject that an event concerns, some more than once. `host` is the host
 * right before the event.
 */
export function noteSubjects(host: LiveHost, event: Placed<Fact>, note: NoteSubject): void {
  const concerned = host.concernedBy(event);
  if (concerned !== null) noteConcerned(concerned, note);
  const { type } = event;
  const { pid, child, device, claimant, group }: EventData = event.data as object;
  if (typeof pid === 'number') note('process', pid);
  if (typeof child === 'number') note('process', child);
  if (type === 'descriptor.passed') notePassed(host, event.data, note);
  if (typeof device === 'string') noteDevice(host, device, note);
  if (type === 'operation.refused') noteNamed(host, event.data, note);
  if (claimant !== undefined && typeof group === 'string') note('group', group);
  if (type === 'device.added' && event.data.group !== null) note('group', event.data.group);
  if (type === 'group.found') note('group', event.data.group);
  if (type === 'gap.noticed') {
    const lost = event.data.group === null ? host.groups() : [{ group: event.data.group }];
    for (const { group } of lost) note('group', group);
    if (event.data.group === null) noteUngrouped(host, note);
  }
  if (type === 'host.booted') noteUngrouped(host, note);
  const opened = fileOpenedBy(event);
  if (opened !== null) note('file', opened);
  for (const released of host.processTable.releases.endedBy(event)) note('file', released);
  noteMoved(host, event, note);
  noteMapped(host, event, note);
}

/** Notes who gets a descriptor, and a file that only the kernel keeps, which `noteMoved` does not find. */
function notePassed(
  { processTable }: LiveHost,
  { pid, fd, to }: DataOf<'descriptor.passed'>,
  note: NoteSubject,
): void {
  note('process', to);
  const kept = processTable.keptBehind(pid, fd);
  if (kept !== null) note('file', kept);
}

/** The keys of `data` that name subjects, in whichever types of events have them. */
interface EventData {
  readonly pid?: unknown;
  readonly child?: unknown;
  readonly device?: unknown;
  readonly claimant?: unknown;
  readonly group?: unknown;
}

function noteConcerned({ files, device, group }: Concerned, note: NoteSubject): void {
  for (const file of files) note('file', file);
  if (device !== null && device !== UNNAMED) note('device', device);
  if (group !== null) note('group', group);
}

function noteDevice(host: LiveHost, id: string, note: NoteSubject): void {
  note('device', id);
  const group = host.device(id)?.group ?? null;
  if (group !== null) note('group', group);
}

/** Notes the devices whose group is not known: no group stands for them at a gap of all, or a boot. */
function noteUngrouped(host: LiveHost, note: NoteSubject): void {
  for (const { device, group } of host.devices()) if (group === null) note('device', device);
}

/** Notes what a refusal names, known or not, and what is in the way by its words. */
function noteNamed(host: LiveHost, refused: DataOf<'operation.refused'>, note: NoteSubject): void {
  if ('group' in refused && refused.group !== undefined) {
    note('group', refused.group);
    // A scenario may open the group of a device that is not there.
    if (parseSubject(refused.group).kind === 'device') note('device', refused.group);
  }
  if (refused.operation === 'open_path') noteNode(host, refused.path, note);
  const { blocker } = refused;
  if (blocker?.kind === 'group') note('group', blocker.id);
  else if (blocker !== undefined) noteDevice(host, blocker.id, note);
}

/** Notes the group or device of a path, if it is that of a node, which need not exist. */
function noteNode(host: LiveHost, path: string, note: NoteSubject): void {
  if (!/^\/dev\/vfio\/(?:(?:noiommu-)?\d+|devices\/[^/]+)$/.test(path)) return;
  const {
    kind,
    ids: [id],
  } = parseSubject(path);
  if (kind !== 'device') return note(kind, id);
  const device = [...host.devices()].find(({ cdev }) => cdev === id);
  noteDevice(host, device?.device ?? id, note);
}

/**
 * Notes the files whose holders an event changes; also a file that loses its descriptor to another.
 */
function noteMoved(host: LiveHost, { type, data }: Placed<Fact>, note: NoteSubject): void {
  const { moves } = effectOf(type);
  if (moves === null) return;
  for (const held of moves(data)) {
    const process = host.processTable.process(held.pid);
    if (process === undefined) continue;
    if ('all' in held) {
      for (const { file } of process.descriptors.values()) noteOpen(host, file, note);
      for (const file of process.mappings.values()) noteOpen(host, file, note);
      continue;
    }
    const isFd = 'fd' in held;
    const file = isFd ? process.descriptors.get(held.fd)?.file : process.mappings.get(held.mapping);
    if (file !== undefined && file !== TERMINAL) note('file', file);
  }
}

/** Notes the iommufds that have noted the address space which an event ends. */
function noteMapped(host: LiveHost, event: Fact, note: NoteSubject): void {
  const pid = addressSpaceEndedBy(event);
  if (pid === null) return;
  for (const iommufd of host.iommufdsMappedBy(pid)) note('file', iommufd);
}

/** Notes a file if it was opened in the log; the descriptors that a process starts with were not. */
function noteOpen(host: LiveHost, file: FileId, note: NoteSubject): void {
  if (host.isOpen(file)) note('file', file);
}

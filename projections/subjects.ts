/**
 * Subjects: the devices, groups, files and processes of a host, and which events concern them.
 *
 * @module
 */
import type { DataOf, Fact, Placed } from '../events/vocabulary.ts';
import type { Concerned, LiveHost } from '../machines/live-host.ts';
import { callOf } from '../operations/table.ts';
import { effectOf } from '../processes/effects.ts';
import { fileOpenedBy, type FileId } from '../processes/process-table.ts';

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

/**
 * Parses the word for a subject: `pid:N`; `file:ID`; a group as `N`, `gN` or `/dev/vfio/N`; else
 * the address, name or node of a device. It does not look the word up in the log.
 */
export function parseSubject(word: string): { readonly kind: SubjectKind; readonly word: string } {
  const [, prefix, rest] = /^(pid|file):(.+)$/.exec(word) ?? [];
  if (rest !== undefined) return { kind: prefix === 'pid' ? 'process' : 'file', word: rest };
  const [, group] = /^(?:g|\/dev\/vfio\/(?:noiommu-)?)?(\d+)$/.exec(word) ?? [];
  if (group !== undefined) return { kind: 'group', word: group };
  return { kind: 'device', word: word.replace(/^\/dev\/vfio\/devices\//, '') };
}

/** The subjects that an event concerns; `host` is the host right before the event. */
export function subjectsOf(host: LiveHost, event: Placed<Fact>): Set<SubjectKey> {
  const found = new Set<SubjectKey>();
  const call = event.type === 'operation.refused' ? event.data : callOf(event)?.call;
  if (call !== undefined) addConcerned(found, host.concerned(call));
  const { data } = event;
  for (const key of ['pid', 'child', 'to'] as const) {
    const pid = (data as object as Record<string, unknown>)[key];
    if (typeof pid === 'number' && (key !== 'to' || event.type !== 'operation.refused')) {
      found.add(`process ${pid}`);
    }
  }
  if ('device' in data && typeof data.device === 'string') addDevice(found, host, data.device);
  if (event.type === 'operation.refused' && data.evidence !== undefined) {
    addNamed(found, host, event.data);
  }
  if (event.type === 'device.added' && data !== null && 'group' in event.data) {
    if (event.data.group !== null) found.add(`group ${event.data.group}`);
  }
  if (event.type === 'group.found') found.add(`group ${event.data.group}`);
  if (event.type === 'gap.noticed') {
    const lost = event.data.group === null ? host.groups() : [{ group: event.data.group }];
    for (const { group } of lost) found.add(`group ${group}`);
  }
  const opened = fileOpenedBy(event);
  if (opened !== null) found.add(`file ${opened}`);
  addMoved(found, host, event);
  return found;
}

function addConcerned(found: Set<SubjectKey>, { files, device, group }: Concerned): void {
  for (const file of files) found.add(`file ${file}`);
  if (device !== null) found.add(`device ${device}`);
  if (group !== null) found.add(`group ${group}`);
}

function addDevice(found: Set<SubjectKey>, host: LiveHost, id: string): void {
  found.add(`device ${id}`);
  const group = host.device(id)?.group ?? null;
  if (group !== null) found.add(`group ${group}`);
}

/** Adds the group that a refusal names, known or not, and what is in the way by its words. */
function addNamed(
  found: Set<SubjectKey>,
  host: LiveHost,
  refused: DataOf<'operation.refused'>,
): void {
  if ('group' in refused && refused.group !== undefined) found.add(`group ${refused.group}`);
  const { blocker } = refused;
  if (blocker?.kind === 'group') found.add(`group ${blocker.id}`);
  else if (blocker !== undefined) addDevice(found, host, blocker.id);
}

/**
 * Adds the files whose holders an event changes; also a file that loses its descriptor to another.
 */
function addMoved(found: Set<SubjectKey>, host: LiveHost, { type, data }: Placed<Fact>): void {
  const { moves } = effectOf(type);
  if (moves === null) return;
  for (const held of moves(data)) {
    const process = host.processTable.process(held.pid);
    if (process === undefined) continue;
    if ('all' in held) {
      for (const { file } of process.descriptors.values()) addOpen(found, host, file);
      for (const file of process.mappings.values()) addOpen(found, host, file);
      continue;
    }
    const isFd = 'fd' in held;
    const file = isFd ? process.descriptors.get(held.fd)?.file : process.mappings.get(held.mapping);
    if (file !== undefined) found.add(`file ${file}`);
  }
}

/** Adds a file if it was opened in the log; the descriptors that a process starts with were not. */
function addOpen(found: Set<SubjectKey>, host: LiveHost, file: FileId): void {
  if (host.isOpen(file)) found.add(`file ${file}`);
}

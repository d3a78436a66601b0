/**
 * Situations: what of an operation and of the host decides about the answer.
 *
 * Two operations in one situation take the same checks on machines that stand alike; generated
 * sequences seek out the situations that have been met least.
 *
 * @module
 */
import type { Call, Operation } from '../../events/vocabulary.ts';
import type { ScenarioHost } from '../../host/scenario-host.ts';
import { machineNames } from '../../machines/admission.ts';
import type { HostView, Question } from '../../machines/check.ts';
import type { Device, Group, OpenFile } from '../../machines/instances.ts';
import type { IommufdRecord } from '../../machines/iommufd.ts';
import { judge } from '../../machines/judge.ts';
import { LiveHost } from '../../machines/live-host.ts';
import type { IommufdObject } from '../../machines/page-tables.ts';
import type { OperationStatement } from '../../scenario/language.ts';

/** Counters say no more than none, one and several. */
const few = (count: number): number => Math.min(count, 2);

/** What an operation meets, in a word: the kind of situation, and which one of the kind it is. */
export interface Situation {
  /** The verdict, the states of the machines concerned, and which of them belong together. */
  readonly kind: string;
  /** The kind, and what the machines have counted. */
  readonly exactly: string;
  readonly isRefused: boolean;
}

/** What an operation would meet as things stand. */
export function situationOf(host: ScenarioHost, statement: OperationStatement): Situation {
  const kernel = LiveHost.machinesOf(host.live);
  const question = kernel.question(host.foresee(statement));
  const refusal = judge(kernel.rules, question);
  const kind = [
    statement.operation,
    refusal?.check ?? 'passes',
    ...statesOf(question),
    ...relationsOf(question),
    ...literalsOf(statement),
  ].join(' ');
  const exactly = [kind, ...countsOf(question)].join(' ');
  return { kind, exactly, isRefused: refusal !== null };
}

function statesOf(question: Question): string[] {
  const { file, argument } = question;
  const machines = machineNames.flatMap((name) => {
    const instance = question[name];
    return instance === undefined ? [] : [`${name}:${instance.state}`];
  });
  return [
    ...machines,
    ...(file === undefined ? [] : [`on:${file.kind}`]),
    ...(argument === undefined ? [] : [`given:${argument.kind}`]),
  ];
}

function countsOf({ file, device, group, host }: Question): string[] {
  return [
    ...(file === undefined ? [] : [fileWord(file), ...keptWords(file, host)]),
    ...(device === undefined ? [] : [deviceWord(device)]),
    ...(group === undefined ? [] : [groupWord(group), ...openerWords(group, host)]),
  ];
}

/** The file that a group is open as, with what it was given. */
function openerWords({ record: { opener } }: Group, host: HostView): string[] {
  const file = opener === null ? undefined : host.file(opener);
  return file === undefined ? [] : [memoryWord(file)];
}

/** Which of the things concerned are one and the same. */
function relationsOf({ call, file, argument, device, group, iommufd, host }: Question): string[] {
  const same = (name: string, id: string | null | undefined, other: OpenFile | undefined) =>
    id == null || other === undefined ? [] : [`${name}:${id === other.id ? 'same' : 'other'}`];
  const context = iommufd ?? (device && host.file(device.record.iommufd ?? ''));
  return [
    ...same('owner', group?.record.owner, iommufd ?? argument ?? file),
    ...same('opener', group?.record.opener, file),
    ...same('bound', device?.record.boundFile, file),
    ...same('context', device?.record.iommufd, argument),
    ...(context?.kind === 'iommufd' ? objectWords(context.record, call, group) : []),
  ];
}

/** The id of the object that a call is about: named, or the one that stands for a container's. */
function objectIn(call: Call, compatIoas: number | null): number | null {
  if ('pt' in call) return call.pt;
  if ('object' in call) return call.object;
  return 'ioas' in call ? call.ioas : compatIoas;
}

/** What an object is, and whether the group's devices are attached to it or through it. */
function objectWords(
  { objects, compatIoas }: IommufdRecord,
  call: Call,
  group: Group | undefined,
): string[] {
  const id = objectIn(call, compatIoas);
  const object = id === null ? undefined : objects.get(id);
  if (object === undefined) return [];
  const words = [`object:${objectWord(object)}`, `compat:${+(compatIoas === id)}`];
  const shared = objects.get(group?.record.hwpt ?? -1);
  if (shared?.kind !== 'hwpt') return words;
  return [...words, `shared:${+(group?.record.hwpt === id || shared.ioas === id)}`];
}

/** Operands that are no names, by their place: numbers, paths, drivers and the like. */
const literals: Partial<Record<Operation, number>> = {
  check_extension: 1,
  compat_ioas: 1,
  ioctl: 1,
  mmap: 2,
  open_path: 1,
  read: 1,
  region_info: 1,
  set_driver: 1,
  set_iommu: 1,
};

function literalsOf({ operation, operands, options }: OperationStatement): string[] {
  const literal = operands[literals[operation] ?? Infinity];
  return [...(literal === undefined ? [] : [literal]), ...Object.keys(options).toSorted()];
}

/** How a file is kept alive. */
function fileWord({ pins, pinnedBy }: OpenFile): string {
  return `${few(pins.size)}${few(pinnedBy.size)}`;
}

/** What a file keeps alive, with what it is kept for besides. */
function keptWords({ pins }: OpenFile, host: HostView): string[] {
  return [...pins].flatMap((id) => {
    const kept = host.file(id);
    return kept === undefined ? [] : [memoryWord(kept)];
  });
}

/** What an object of an iommufd has counted. */
function objectWord(object: IommufdObject): string {
  switch (object.kind) {
    case 'hwpt':
      return `hwpt${few(object.users)}${+object.auto}`;
    case 'ioas':
      return `ioas${few(object.mappers.length)}${+object.isMapperGone}`;
    case 'device':
      return 'device';
  }
}

/** What a file's machine has counted. */
function memoryWord(file: OpenFile): string {
  switch (file.kind) {
    case 'group':
      return `users:${few(file.record.users)}${+(file.record.container !== null)}`;
    case 'container':
      return `groups:${few(file.record.groups)}`;
    case 'iommufd': {
      const objects = [...file.record.objects.values()].map(objectWord);
      return [...objects.toSorted(), +(file.record.compatIoas !== null)].join();
    }
    default:
      return '';
  }
}

function deviceWord({ state, driver, record }: Device): string {
  const { files, opens, attached, boundFile } = record;
  return `${state}/${driver ?? '-'}/${few(files)}${few(opens)}${+attached}${+(boundFile !== null)}`;
}

function groupWord({ state, record }: Group): string {
  const { members, opener, claims, cdevBound, attached } = record;
  const counts = [members, claims, cdevBound, attached].map(few).join('');
  return `${state}/${+(opener !== null)}${counts}`;
}

/** How the whole host stands, for telling apart what has been reached; names do not matter. */
export function standingOf({ live }: ScenarioHost): string {
  const kernel = LiveHost.machinesOf(live);
  const devices = [...kernel.devices()].map(deviceWord);
  const groups = [...kernel.groups()].map(groupWord);
  const files = [...kernel.files()].map((file) => {
    const held = kernel.isHeld(file.id) ? 'held' : 'kept';
    const state = 'state' in file ? file.state : '';
    return [file.kind, state, held, fileWord(file), memoryWord(file)].join('/');
  });
  const change = kernel.driverChange;
  return JSON.stringify([devices, groups, files.toSorted(), change?.outcome ?? change?.next]);
}

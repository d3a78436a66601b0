/**
 * From a call to a question: which files, devices, groups and contexts it concerns, and what each
 * machine would be told if it succeeded.
 *
 * @module
 */
import type { Call, CallOf } from '../events/vocabulary.ts';
import type { FileId } from '../processes/process-table.ts';
import { askAttach, askDetach, pageTableShown } from './attachment-question.ts';
import type { MachineName } from './admission.ts';
import type { HostView, Question } from './check.ts';
import type { Device, Group, GroupFile, IommufdFile, Instances, OpenFile } from './host.ts';
import { autoPageTable, lowestFreeId, type Attachment, type IommufdRecord } from './iommufd.ts';
import { kindOfDriver } from '../operations/driver.ts';
import { NAMELESS, UNNAMED, UNSHOWN, unnamedDevice } from './unshown.ts';

/** What came out of a call, where that is known: the file that it opened, the ids handed out. */
export interface Outcome {
  readonly file?: FileId | undefined;
  readonly id?: number | undefined;
  readonly hwpt?: number | undefined;
  /** The file behind the descriptor given, where it is not looked up: none where undefined. */
  readonly argument?: OpenFile | undefined;
}

/** Where a question looks things up. */
export interface Directory extends HostView {
  /** The file behind a descriptor. */
  behind(pid: number, fd: number): OpenFile | undefined;
  device(device: string): Device | undefined;
  group(group: string): Group | undefined;
  /** The state and memory that a machine begins with. */
  fresh<M extends MachineName>(name: M): Instances[M];
}

/** Builds the question that a call puts. What is not known of its outcome is worked out. */
export function questionOf(host: Directory, call: Call, outcome: Outcome = {}): Question {
  const file = 'fd' in call ? host.behind(call.pid, call.fd) : undefined;
  const base = { call, host, file, events: {} };
  switch (call.operation) {
    case 'open_cdev': {
      const device = host.device(call.device);
      return { ...base, device, events: { device: { type: 'device.opened' } } };
    }
    case 'open_group': {
      const opened = { type: 'group.opened', file: outcome.file ?? NAMELESS } as const;
      return { ...base, group: host.group(call.group), events: { group: opened } };
    }
    case 'open_path': {
      const [, fd] = /^\/proc\/self\/fd\/(\d+)$/.exec(call.path) ?? [];
      return fd === undefined ? base : askReopen(base, host.behind(call.pid, Number(fd)), outcome);
    }
    case 'set_container':
      return askSetContainer({ ...base, call }, given(host, call, call.container, outcome));
    case 'unset_container':
      return askUnsetContainer(base);
    case 'get_device':
      return askGetDevice({ ...base, call }, deviceNamed(host, call), outcome);
    case 'bind':
      return askBind({ ...base, call }, contextGiven(host, call, outcome), outcome);
    case 'attach':
      return askAttach(withDevice({ ...base, call }), outcome);
    case 'hot_reset':
      return {
        ...withDevice(base),
        givenGroups: call.groups.map((fd) => host.behind(call.pid, fd)),
      };
    case 'set_driver':
      return askSetDriver({ ...base, call }, host.device(call.device));
    case 'bg_wait': {
      const device = host.driverChange?.device;
      return { ...base, device, group: device?.group ?? undefined };
    }
    default:
      return askFile(base, outcome);
  }
}

/** The file behind a descriptor that was given as an argument. */
function given(
  host: Directory,
  { pid }: { readonly pid: number },
  fd: number,
  outcome: Outcome,
): OpenFile | undefined {
  return 'argument' in outcome ? outcome.argument : host.behind(pid, fd);
}

/**
 * The context that a bind presents. One that the evidence does not show is the owner's, where the
 * group has one: no other gets in (iommu/iommu.c:iommu_device_claim_dma_owner).
 */
function contextGiven(
  host: Directory,
  call: CallOf<'bind'>,
  outcome: Outcome,
): OpenFile | undefined {
  if (call.iommufd !== UNSHOWN || 'argument' in outcome) {
    return given(host, call, call.iommufd, outcome);
  }
  const file = host.behind(call.pid, call.fd);
  const group = file?.kind === 'device' ? file.device.group : null;
  return group?.state === 'iommufd' ? host.file(group.record.owner ?? NAMELESS) : undefined;
}

function deviceNamed(
  host: Directory,
  { pid, fd, device }: CallOf<'get_device'>,
): Device | undefined {
  if (device !== UNNAMED) return host.device(device);
  const file = host.behind(pid, fd);
  return file?.kind === 'group' ? unnamedDevice(file.group, host.fresh('device')) : undefined;
}

/** A descriptor's file is opened anew: the same node, whatever has become of its name. */
function askReopen(base: Question, file: OpenFile | undefined, outcome: Outcome): Question {
  if (file?.kind === 'device' && file.state !== 'granted') {
    return { ...base, file, device: file.device, events: { device: { type: 'device.opened' } } };
  }
  if (file?.kind !== 'group') return { ...base, file };
  const opened = { type: 'group.opened', file: outcome.file ?? NAMELESS } as const;
  return { ...base, file, groupFile: file, group: file.group, events: { group: opened } };
}

/** What the file itself is enough for. */
function askFile(base: Question, { id }: Outcome): Question {
  const { call, file } = base;
  if (file?.kind === 'group') return { ...base, groupFile: file, group: file.group };
  if (file?.kind === 'container') {
    return { ...base, container: file, events: { container: { type: 'iommu.set' } } };
  }
  if (file?.kind === 'device') {
    const question = withDevice(base);
    if (call.operation === 'detach') return askDetach(question, file);
    if (call.operation !== 'reset') return question;
    return { ...question, events: { device: { type: 'device.reset' } } };
  }
  if (file?.kind !== 'iommufd') return base;
  const question = { ...base, iommufd: file };
  switch (call.operation) {
    case 'alloc_ioas':
      return tell(question, { type: 'ioas.allocated', id: id ?? lowestFreeId(file.record) });
    case 'alloc_hwpt': {
      const next = id ?? lowestFreeId(file.record);
      const ioas = call.pt === UNSHOWN ? pageTableShown(file.record, undefined) : call.pt;
      return ioas === UNSHOWN
        ? question
        : tell(question, { type: 'hwpt.allocated', id: next, ioas });
    }
    case 'destroy':
      if (call.object === UNSHOWN) return question;
      return tell(question, { type: 'object.destroyed', object: call.object });
    case 'compat_ioas': {
      if (call.action !== 'set') return tell(question, { type: 'compat-ioas.cleared' });
      const ioas = call.ioas === UNSHOWN ? pageTableShown(file.record, undefined) : call.ioas;
      return ioas === UNSHOWN ? question : tell(question, { type: 'compat-ioas.set', ioas });
    }
    default:
      return question;
  }
}

function tell(question: Question, iommufd: NonNullable<Question['events']['iommufd']>): Question {
  return { ...question, events: { iommufd } };
}

function withDevice<Q extends Question>(question: Q): Q {
  const { file } = question;
  if (file?.kind === 'iommufd') return { ...question, iommufd: file };
  if (file?.kind === 'container') return { ...question, container: file };
  if (file?.kind !== 'device') return question;
  const { device } = file;
  return { ...question, deviceFile: file, device, group: device.group ?? undefined };
}

function askSetContainer(
  base: Question & { call: CallOf<'set_container'> },
  argument: OpenFile | undefined,
): Question {
  const { file } = base;
  if (file?.kind !== 'group') return { ...withDevice(base), argument };
  const type = 'container.set';
  const native = argument?.kind !== 'iommufd' && !mayBeIommufd(base, file);
  const container = argument?.kind === 'container' ? argument : undefined;
  const iommufd = argument?.kind === 'iommufd' ? argument : undefined;
  return {
    ...base,
    argument,
    groupFile: file,
    group: file.group,
    container,
    iommufd,
    events: {
      groupFile: { type, container: argument?.id ?? NAMELESS, native },
      group: { type, file: file.id, native },
      ...(container && { container: { type } }),
      ...(iommufd && { iommufd: { type, ioas: compatIoasOf(iommufd.record) } }),
    },
  };
}

/**
 * Whether what a group was given, and the evidence does not show, may be an iommufd: it is one where a
 * container would have been refused, and claims nothing where nobody can say.
 */
export function mayBeIommufd({ call, host }: Question, { group }: GroupFile): boolean {
  if (call.operation !== 'set_container' || call.container !== UNSHOWN) return false;
  return group.state === 'iommufd' || host.hasOpen(call.pid, 'iommufd');
}

/** The IOAS that stands for a container's: the one there, or the next that is made. */
function compatIoasOf(record: IommufdRecord): number {
  return record.compatIoas ?? lowestFreeId(record);
}

function askUnsetContainer(base: Question): Question {
  const { file, host } = base;
  if (file?.kind !== 'group') return withDevice(base);
  const given = file.record.container === null ? undefined : host.file(file.record.container);
  const container = given?.kind === 'container' ? given : undefined;
  const isNative = container !== undefined || isUnseen(file);
  // A dead file's group has moved on: it does not hear of its old incarnation.
  const group = file.state === 'dead' ? undefined : file.group;
  return {
    ...base,
    groupFile: file,
    group,
    container,
    events: {
      groupFile: { type: 'container.unset' },
      ...(group && { group: { type: 'container.unset', native: isNative } }),
      ...(container && { container: { type: 'container.left' } }),
    },
  };
}

function askGetDevice(
  base: Question & { call: CallOf<'get_device'> },
  device: Device | undefined,
  outcome: Outcome,
): Question {
  const { file, host } = base;
  if (file?.kind !== 'group') return withDevice(base);
  const type = 'device.obtained';
  const given = host.file(contextOfGroup(file) ?? '');
  const first = device?.record.opens === 0;
  const container = given?.kind === 'container' ? given : undefined;
  // The first open alone claims; an open device opens again whatever its group holds by now.
  const iommufd = first && given?.kind === 'iommufd' ? given : undefined;
  const claim = iommufd === undefined ? null : claimOf(iommufd, outcome);
  const isHidden = first && given === undefined && file.state === 'iommufd';
  const context = isHidden ? NAMELESS : (iommufd?.id ?? null);
  return {
    ...base,
    device,
    groupFile: file,
    group: file.group,
    container,
    iommufd,
    events: {
      device: { type, iommufd: context, id: claim?.id ?? null },
      group: { type, iommufd: context, hwpt: claim?.attachment.hwpt ?? null },
      groupFile: { type, pins: first && (container !== undefined || isUnseen(file)) },
      ...(claim && { iommufd: { type, ...claim } }),
    },
  };
}

/** Whether the group was put into a container that nobody has seen. */
function isUnseen({ record, state }: GroupFile): boolean {
  return record.container === NAMELESS && state !== 'iommufd';
}

/** What a group was given; of iommufds that nobody has seen, the one that has the group already. */
function contextOfGroup({ record, state, group }: GroupFile): FileId | null {
  const isHidden = record.container === NAMELESS && state === 'iommufd';
  return isHidden && group.state === 'iommufd' ? group.record.owner : record.container;
}

/** The ids that a first open through a group takes in the iommufd that serves as container. */
function claimOf(iommufd: IommufdFile, outcome: Outcome) {
  const id = outcome.id ?? lowestFreeId(iommufd.record);
  const ioas = iommufd.record.compatIoas ?? 0;
  const hwpt =
    outcome.hwpt ?? autoPageTable(iommufd.record, ioas) ?? lowestFreeId(iommufd.record, [id]);
  const attachment: Attachment = { hwpt, ioas, auto: true, users: 1, from: null };
  return { id, attachment };
}

function askBind(
  base: Question & { call: CallOf<'bind'> },
  argument: OpenFile | undefined,
  outcome: Outcome,
): Question {
  const { file } = base;
  if (file?.kind !== 'device') return { ...withDevice(base), argument };
  const type = 'device.bound';
  const iommufd = argument?.kind === 'iommufd' ? argument : undefined;
  const id = outcome.id ?? (iommufd === undefined ? 0 : lowestFreeId(iommufd.record));
  return {
    ...withDevice(base),
    argument,
    iommufd,
    events: {
      device: { type, file: file.id, iommufd: iommufd?.id ?? NAMELESS, id },
      group: { type, iommufd: iommufd?.id ?? NAMELESS },
      deviceFile: { type },
      ...(iommufd && { iommufd: { type, id } }),
    },
  };
}

function askSetDriver(
  base: Question & { call: CallOf<'set_driver'> },
  device: Device | undefined,
): Question {
  const group = device?.group ?? undefined;
  const { driver } = base.call;
  if (driver === null) return { ...base, device };
  const event = { type: 'driver.bound', kind: kindOfDriver(driver) } as const;
  return { ...base, device, group, events: { device: event, group: event } };
}

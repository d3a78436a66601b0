/**
 * A host on trial: it takes facts that are in no log yet, and shows as plain data how it stands then.
 *
 * @module
 */
import type { Certainty, Fact, Placed } from '../events/vocabulary.ts';
import type { Group, OpenFile } from '../machines/host.ts';
import type { Kernel } from '../machines/kernel.ts';
import { UNNAMED } from '../machines/unshown.ts';
import type { Process } from '../processes/process-table.ts';

type OurFile = Exclude<OpenFile, { kind: 'other' }>;

export class RehearsedHost {
  readonly #kernel: Kernel;
  #position: number;
  #known: ReturnType<typeof knownOf> | null = null;

  /** `kernel` is nobody else's; `position` is that of the last event that it has taken. */
  constructor(kernel: Kernel, position: number) {
    this.#kernel = kernel;
    this.#position = position;
  }

  get known(): ReturnType<typeof knownOf> {
    return (this.#known ??= knownOf(this.#kernel));
  }

  take({ type, data }: Fact, certainty: Certainty): void {
    const evidence = { source: 'rehearsal', line: null, certainty };
    const position = ++this.#position;
    this.#kernel.take({ type, data: { ...data, evidence }, position } as Placed<Fact>);
    this.#known = null;
  }
}

function knownOf(kernel: Kernel) {
  const files = new Map(
    [...kernel.files()].flatMap((file) =>
      file.kind === 'other' ? [] : [[file.id, fileOf(file)] as const],
    ),
  );
  const change = kernel.driverChange;
  return {
    boot: kernel.boot,
    iommufd: kernel.iommufd,
    devices: new Map(
      [...kernel.devices()].map(({ device, name, group, driver, model, cdev }) => [
        device,
        { device, name, group: group?.group ?? null, driver, model, cdev },
      ]),
    ),
    groups: new Map([...kernel.groups()].map((group) => [group.group, groupOf(group)])),
    files,
    processes: new Map(
      [...kernel.processes.processes()].map((process) => [process.pid, processOf(process, files)]),
    ),
    change: change && { device: change.device.device, isOver: change.outcome !== null },
  };
}

function processOf(
  { pid, comm, cgroup, started, descriptors, mappings }: Process,
  files: ReadonlyMap<string, ReturnType<typeof fileOf>>,
) {
  const ours = [...descriptors].flatMap(([fd, { file: id, cloexec }]) => {
    const file = files.get(id);
    return file === undefined ? [] : [[fd, { file, cloexec }] as const];
  });
  const mapped = [...mappings].flatMap(([address, id]) => {
    const file = files.get(id);
    return file === undefined ? [] : [[address, file] as const];
  });
  const holds = { descriptors: new Map(ours), mappings: new Map(mapped) };
  return { pid, comm, cgroup, started, ...holds };
}

function groupOf({ group, state, record, unknownSince }: Group) {
  const { owner, members } = record;
  return { group, state, owner, isUnknown: unknownSince !== null, members };
}

function fileOf(file: OurFile) {
  const { id, kind } = file;
  const is = { isGranted: false, isDead: false, isReady: false };
  const plain = { id, kind, group: null, device: null, context: null, ...is };
  switch (kind) {
    case 'group': {
      const { group, record, state } = file;
      return { ...plain, group: group.group, context: record.container, isDead: state === 'dead' };
    }
    case 'device': {
      const { device, group, record } = file.device;
      return {
        ...plain,
        group: group?.group ?? null,
        device: device === UNNAMED ? null : device,
        isGranted: file.state === 'granted',
        context: file.state === 'bound' ? record.iommufd : null,
      };
    }
    case 'container':
      return { ...plain, isReady: file.state === 'ready' };
    case 'iommufd':
      return plain;
  }
}

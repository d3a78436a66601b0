/**
 * `Opens`: turns opens of VFIO and iommufd nodes, by whatever path, into facts.
 *
 * @module
 */
import type { Fact } from '../../events/vocabulary.ts';
import type { Deed } from '../sighting.ts';
import type { Devices } from './devices.ts';
import type { Files } from './files.ts';
import type { Tell } from './inferences.ts';
import { nodeOf } from './nodes.ts';
import { refused } from './refusals.ts';
import type { Seen, Traced } from './traced.ts';

export class Opens {
  readonly #files: Files;
  readonly #devices: Devices;
  readonly #tell: Tell;

  constructor(files: Files, devices: Devices, tell: Tell) {
    this.#files = files;
    this.#devices = devices;
    this.#tell = tell;
  }

  take(process: Traced, { path, cloexec, result, file }: Extract<Deed, { did: 'open' }>): void {
    const node = nodeOf(path);
    if (node === null) return;
    const { pid } = process;
    const from = node.kind === 'reopened' ? process.descriptors.get(Number(node.name)) : undefined;
    if (node.kind === 'reopened' && from === undefined) return;
    const known = from?.seen.path == null ? node : (nodeOf(from.seen.path) ?? node);
    const flag = cloexec ? { cloexec } : {};
    if ('errno' in result) {
      this.#files.tellProcess(process);
      const attempt = this.#attemptAt(known, { pid, path, ...flag }, result.errno);
      this.#tell(
        refused(
          node === known ? attempt : { operation: 'open_path', pid, path, ...flag },
          result.errno,
        ),
      );
      return;
    }
    const opened = { pid, fd: result.rc, cloexec };
    const seen = { group: null, device: null, path, pointer: file, isReleased: false };
    const open = (more: Partial<Seen> & Pick<Seen, 'kind'>, fact: Fact) =>
      this.#files.open(process, result.rc, cloexec, { ...seen, ...more }, fact);
    switch (known.kind) {
      case 'container':
      case 'iommufd':
        return open({ kind: known.kind }, { type: `${known.kind}.opened`, data: opened });
      case 'group': {
        const group = known.name;
        this.#devices.meetGroup(group);
        return open({ kind: 'group', group }, { type: 'group.opened', data: { ...opened, group } });
      }
      case 'cdev': {
        const device = this.#devices.behindCdev(known.name);
        const group = this.#devices.groupOf(device);
        const data = { ...opened, device };
        return open({ kind: 'device', group, device }, { type: 'device.opened', data });
      }
      default:
        return open({ kind: 'path' }, { type: 'path.opened', data: { ...opened, path } });
    }
  }

  /** The attempt to open a node. If the node exists, its group or device is noted. */
  #attemptAt(
    { kind, name }: NonNullable<ReturnType<typeof nodeOf>>,
    { path, ...by }: { pid: number; path: string; cloexec?: boolean },
    errno: string,
  ) {
    const isThere = errno !== 'ENOENT' && errno !== 'EACCES' && errno !== 'ENXIO';
    switch (kind) {
      case 'iommufd':
        return { operation: 'open_iommufd', ...by } as const;
      case 'container':
        return { operation: 'open_container', ...by } as const;
      case 'group':
        if (isThere) this.#devices.meetGroup(name);
        return { operation: 'open_group', ...by, group: name } as const;
      case 'cdev': {
        const device = isThere ? this.#devices.behindCdev(name) : this.#devices.named(name);
        return { operation: 'open_cdev', ...by, device } as const;
      }
      default:
        return { operation: 'open_path', ...by, path } as const;
    }
  }
}

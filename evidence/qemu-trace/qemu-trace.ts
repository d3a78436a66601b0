/**
 * The format `qemu-trace`: QEMU's trace events, read for opens, binds, attaches and closes.
 *
 * @module
 */
import { requestOf } from '../../operations/table.ts';
import { UNKNOWN_ZEROS, type Zero } from '../instants.ts';
import { concerns } from '../messages/concerns.ts';
import { errnoIn, errnoOf } from '../messages/errnos.ts';
import { LONGEST, remember } from '../messages/names.ts';
import { ProgramReader } from '../messages/program.ts';
import type { Deed, Parser, Result, Sighting } from '../sighting.ts';
import { lineClock, type LineTime } from '../wrappers/line-clock.ts';
import { checkStamps } from '../wrappers/times.ts';
import { unwrapped } from '../wrappers/unwrap.ts';
import { argumentsOf, isKnown, type TraceArguments, type KnownEvent } from './events.ts';
import { tracedIn, type TracedEvent } from './prefix.ts';

const BIND = requestOf('bind');
const ATTACH = requestOf('attach');
const DETACH = requestOf('detach');
const DESTROY = requestOf('destroy');
const IOAS_ALLOC = requestOf('alloc_ioas');
const HWPT_ALLOC = requestOf('alloc_hwpt');

const DONE: Result = { rc: 0 };

export function looksLikeQemuTrace(line: string): boolean {
  return tracedIn(line) !== null;
}

export function qemuTraceParser(zero: Zero = UNKNOWN_ZEROS): Parser {
  const time = lineClock(zero);
  const program = new ProgramReader();
  const emulators = new Map<number | null, Emulator>();
  let elapsed: number | null = null;
  let number = 0;

  function timeOf({ stamps, distance }: TracedEvent): LineTime {
    if (distance === null) return time.of(stamps);
    elapsed = (elapsed ?? 0) + distance;
    return time.of([{ clock: 'start', at: Math.round(elapsed) }]);
  }

  function emulatorOf(pid: number | null): Emulator {
    const known = emulators.get(pid) ?? new Emulator();
    remember(emulators, pid, known, 1024);
    return known;
  }

  /**
   * The process of an event. A log names threads only. A thread that opens something is the first one
   * of its process. Any other thread belongs to the only process, if there is just one.
   */
  function processOf({ thread, process, event }: TracedEvent): number | null {
    if (process !== null || thread === null || emulators.has(thread)) return process ?? thread;
    const [only] = emulators.keys();
    return emulators.size === 1 && only !== undefined && !opens.test(event) ? only : thread;
  }

  /**
   * Refusals in the lines between events. In the log of a single QEMU, they are QEMU's. A log without
   * events is none of this format.
   */
  function written(text: string): readonly Sighting[] {
    if (emulators.size === 0 || !concerns(text)) return [];
    const parts = unwrapped(text.slice(0, LONGEST));
    checkStamps(parts.stamps);
    const [only = null] = emulators.size === 1 ? emulators.keys() : [];
    return program.read(parts, number).told.map(({ said, stamp, telling }): Sighting => ({
      ...said,
      pid: said.pid ?? only,
      tid: null,
      ...time.of(stamp === null ? parts.stamps : [...parts.stamps, stamp]),
      ...(telling !== null && { telling }),
    }));
  }

  return {
    get clock() {
      return time.clock;
    },
    line(text) {
      number++;
      const traced = tracedIn(text);
      if (traced === null) return written(text);
      const { event } = traced;
      const when = timeOf(traced);
      if (!isKnown(event)) return [];
      const pid = processOf(traced);
      const deeds = emulatorOf(pid).deeds(event, argumentsOf(event, traced));
      return deeds.map((deed): Sighting => ({ ...deed, tid: null, pid, comm: 'qemu', ...when }));
    },
    end: () => [],
  };
}

const opens = /_getfd$|_connect$|_set_fd$|_get_device$|_device_get$|_attach_device$|_realize$/;

/** The state of one QEMU that is needed to read its events. */
class Emulator {
  /** By descriptor of an iommufd: whether QEMU opened it itself, and how many devices use it. */
  readonly #iommufds = new Map<number, { readonly owned: boolean; readonly users: number }>();
  readonly #devices = new Map<string, number>();
  readonly #groups = new Map<string, string>();
  /** Descriptors of detached devices, with the descriptors of their iommufds. */
  readonly #leaving = new Map<number, number>();
  /** The descriptor of the device that is being set up. */
  #coming: number | null = null;

  deeds(event: KnownEvent, args: TraceArguments): readonly Deed[] {
    switch (event) {
      case 'iommufd_cdev_getfd':
        return this.#opened(args.text('dev'), args.number('devfd'));
      case 'iommu_backend_set_fd':
        return this.#given(args.number('fd'));
      case 'iommufd_backend_connect':
        return this.#connected(args);
      case 'iommufd_backend_disconnect':
        return this.#disconnected(args.number('fd'), args.number('users'));
      case 'iommufd_backend_alloc_ioas':
      case 'iommufd_backend_alloc_hwpt':
      case 'iommufd_backend_free_id':
        return args.ret === 0 ? objectDeeds(event, args) : [];
      case 'iommufd_cdev_connect_and_bind':
      case 'iommufd_cdev_attach_ioas_hwpt':
      case 'iommufd_cdev_detach_ioas_hwpt':
        return this.#moved(event, args);
      case 'iommufd_cdev_device_info':
        this.#coming = null;
        return [];
      case 'iommufd_cdev_fail_attach_existing_container':
        return failedAttach(args.text('msg'));
      default:
        return this.#legacy(event, args);
    }
  }

  #opened(path: string, fd: number): readonly Deed[] {
    if (fd < 0) return [];
    this.#coming = fd;
    return [{ did: 'open', path, cloexec: true, result: { rc: fd }, file: null }];
  }

  #given(fd: number): readonly Deed[] {
    if (fd < 0 || this.#iommufds.has(fd)) return [];
    remember(this.#iommufds, fd, { owned: false, users: 0 });
    return [{ did: 'find', fd, kind: 'iommufd', device: null, group: null }];
  }

  #connected(args: TraceArguments): readonly Deed[] {
    const [fd, users] = [args.number('fd'), args.number('users')];
    const owned = args.number('owned') !== 0;
    const opening = { did: 'open', path: '/dev/iommu', cloexec: true, file: null } as const;
    if (args.ret < 0 || fd < 0) {
      const errno = errnoOf(-args.ret);
      return args.ret < -1 && errno !== null ? [{ ...opening, result: { errno } }] : [];
    }
    const known = this.#iommufds.has(fd);
    const fresh = owned && users === 1;
    const deeds = fresh ? [{ ...opening, result: { rc: fd } }] : known ? [] : this.#given(fd);
    remember(this.#iommufds, fd, { owned, users });
    return deeds;
  }

  /**
   * QEMU closes its own iommufd before it traces the disconnect of the last device, which then does not
   * show the descriptor. It closes the device next, without an event.
   */
  #disconnected(shown: number, users: number): readonly Deed[] {
    const fd = shown >= 0 ? shown : this.#forgotten();
    const deeds: Deed[] = [];
    if (fd !== null) {
      const owned = this.#iommufds.get(fd)?.owned === true;
      if (users > 0 || !owned) remember(this.#iommufds, fd, { owned, users });
      else {
        this.#iommufds.delete(fd);
        deeds.push(closing(fd));
      }
    }
    const left = [...this.#leaving].filter(([, iommufd]) => iommufd === fd).map(([own]) => own);
    const devices = left.length > 0 || this.#coming === null ? left : [this.#coming];
    for (const device of devices) {
      this.#leaving.delete(device);
      if (device === this.#coming) this.#coming = null;
      for (const [name, own] of this.#devices) if (own === device) this.#devices.delete(name);
      deeds.push(closing(device));
    }
    return deeds;
  }

  #forgotten(): number | null {
    const [left] = this.#leaving.values();
    if (left !== undefined) return left;
    const last = [...this.#iommufds].filter(([, { owned, users }]) => owned && users === 1);
    return last.length === 1 ? (last[0]?.[0] ?? null) : null;
  }

  #moved(event: KnownEvent, args: TraceArguments): readonly Deed[] {
    const iommufd = args.number('iommufd');
    const name = args.text('name');
    const detached = event === 'iommufd_cdev_detach_ioas_hwpt';
    const fd = detached ? this.#devices.get(name) : args.number('devfd');
    if (fd === undefined) return [];
    const call = { did: 'ioctl', on: { fd, path: null }, result: DONE, file: null } as const;
    if (detached) {
      remember(this.#leaving, fd, iommufd);
      return [{ ...call, requests: [DETACH], words: {} }];
    }
    remember(this.#devices, name, fd);
    this.#leaving.delete(fd);
    this.#coming = event === 'iommufd_cdev_connect_and_bind' ? fd : null;
    const words =
      event === 'iommufd_cdev_connect_and_bind'
        ? { iommufd, device: deviceName(name), id: args.number('devid') }
        : { device: deviceName(name), pt: args.number('id') };
    return [{ ...call, requests: [words.pt === undefined ? BIND : ATTACH], words }];
  }

  #legacy(event: KnownEvent, args: TraceArguments): readonly Deed[] {
    switch (event) {
      case 'vfio_realize':
      case 'vfio_attach_device':
      case 'vfio_device_attach':
        return this.#inGroup(args.text('name'), args.number('group_id'));
      case 'vfio_pci_hot_reset_dep_devices':
        return this.#inGroup(args.text('device'), args.number('group_id'));
      case 'vfio_get_device':
      case 'vfio_device_get': {
        const device = deviceName(args.text('name'));
        const group = this.#groups.get(device) ?? null;
        return [{ did: 'find', fd: null, kind: 'device', device, group }];
      }
      case 'vfio_pci_hot_reset_result':
        return resetDeeds(args.text('name'), args.text('result'));
      default:
        return args.number('fd') < 0 ? [] : [closing(args.number('fd'))];
    }
  }

  #inGroup(name: string, number: number): readonly Deed[] {
    const device = deviceName(name);
    if (number < 0 || this.#groups.get(device) === `${number}`) return [];
    remember(this.#groups, device, `${number}`);
    return [{ did: 'plug', device, group: `${number}`, driver: null }];
  }
}

function deviceName(name: string): string {
  return name.toLowerCase();
}

function closing(fd: number): Deed {
  return { did: 'close', on: { fd, path: null }, result: DONE };
}

function objectDeeds(event: KnownEvent, args: TraceArguments): readonly Deed[] {
  const fd = args.number('iommufd');
  const call = { did: 'ioctl', on: { fd, path: null }, result: DONE, file: null } as const;
  if (event === 'iommufd_backend_free_id') {
    return [{ ...call, requests: [DESTROY], words: { object: args.number('id') } }];
  }
  if (event === 'iommufd_backend_alloc_ioas') {
    return [{ ...call, requests: [IOAS_ALLOC], words: { id: args.number('ioas') } }];
  }
  const words = { pt: args.number('pt_id'), id: args.number('out_hwpt_id') };
  return [{ ...call, requests: [HWPT_ALLOC], words }];
}

const failed = /error attach (?<device>\S+) \(-?\d+\) to id=\d+: (?<why>.*)/s;

function failedAttach(message: string): readonly Deed[] {
  const { device, why = '' } = failed.exec(message)?.groups ?? {};
  return device === undefined ? [] : refused('attach', device, why);
}

function resetDeeds(device: string, result: string): readonly Deed[] {
  return result.startsWith('Success') ? [] : refused('hot_reset', device, result);
}

function refused(operation: 'attach' | 'hot_reset', name: string, why: string): readonly Deed[] {
  const errno = errnoIn(why)?.errno;
  if (errno === undefined) return [];
  const device = deviceName(name);
  return [{ did: 'report', operation, group: null, device, errno, cause: null }];
}

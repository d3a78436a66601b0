/**
 * The format `ftrace`: the text of `trace` and `trace_pipe` in tracefs, and of `trace-cmd report`.
 *
 * The parser uses system calls, scheduler events, and the probes that `recorder/ftrace.sh` sets. It
 * ignores all other events.
 *
 * @module
 */
import { EvidenceError } from '../importer.ts';
import type { Clock, Deed, Parser, ReleasedKind, Sighting } from '../sighting.ts';
import {
  begun,
  deedsOf,
  endsAs,
  installs,
  isInstalling,
  isOpening,
  OPENING,
  sharesBy,
  sharesIn,
  type FtraceCall,
} from './calls.ts';
import { drivenBy, nodeGivenIn, type Driving } from './drivers.ts';
import { copied } from '../source.ts';
import { isAside, lineIn, lostIn, unsetIn, type TraceEvent, type TraceLine } from './line.ts';
import { extentIn, fileIn, openedIn, valueIn, wordsIn } from './probes.ts';
import { commOf, deviceUnboundBy, field, numberIn } from './values.ts';

const NONE: readonly Sighting[] = [];
const NOTHING: readonly Deed[] = [];
const MOST_TASKS = 65_536;
/** No line of a trace has more arguments, in characters. */
const LONGEST_CALL = 4096;
/** A call with more installed descriptors has ended, although its return was not seen. */
const MOST_INSTALLED = 16;
/** Microseconds since 1970 are more than this, microseconds since a boot are less. */
const FIRST_OF_WALL = 1e15;

/** The current call of a thread. */
interface Task extends Driving {
  call: FtraceCall | null;
  /** The child of a fork that was told already. */
  child: number | null;
}

export function ftraceParser(): Parser {
  return new FtraceParser();
}

class FtraceParser implements Parser {
  readonly showsWholeHost = true;
  readonly #tasks = new Map<number, Task>();
  /** The probes that the recorder could not set. */
  readonly #unset = new Set<string>();
  #clock: Clock = 'none';

  get clock(): Clock {
    return this.#clock;
  }

  line(text: string): readonly Sighting[] {
    if (isAside(text)) return this.#aside(text);
    const line = lineIn(text);
    if (line === null) throw new EvidenceError('not a line of a trace');
    const { tid, pid, comm, at, event } = line;
    if (at !== null && this.#clock === 'none') {
      this.#clock = at >= FIRST_OF_WALL ? 'wall' : 'uptime';
    }
    if (event === null) return NONE;
    const deeds = this.#take(event, line);
    return deeds.length === 0 ? NONE : deeds.map((deed) => ({ ...deed, tid, pid, comm, at }));
  }

  showsReleases(kind: ReleasedKind): boolean {
    return !this.#unset.has(`${kind}_release`);
  }

  end(): readonly Sighting[] {
    const left = [...this.#tasks].flatMap(([tid, { call }]) =>
      call === null
        ? []
        : installs(call).map((deed) => ({ ...deed, tid, pid: null, comm: null, at: null })),
    );
    this.#tasks.clear();
    return left;
  }

  #aside(text: string): readonly Sighting[] {
    const unset = unsetIn(text);
    if (unset !== null) this.#unset.add(unset);
    const count = lostIn(text);
    if (count === 0) return NONE;
    // The next return may be that of another call than the one that was seen to begin.
    this.#tasks.clear();
    return [{ did: 'lose', count, tid: null, pid: null, comm: null, at: null }];
  }

  #take(event: TraceEvent, line: TraceLine): readonly Deed[] {
    switch (event.kind) {
      case 'enter':
        if (event.text.length > LONGEST_CALL) throw new EvidenceError(`${event.name} is too long`);
        return this.#begin(line.tid, begun(event.name, copied(event.text)));
      case 'exit':
        return this.#finish(line.tid, event.name, numberIn(event.text));
      default:
        return this.#point(event.name, event.text, line.tid);
    }
  }

  #begin(tid: number, call: FtraceCall): readonly Deed[] {
    const task = this.#task(tid);
    const before = task.call;
    task.call = call;
    if (call.path !== null) task.unbound = deviceUnboundBy(call.path);
    return before === null ? NOTHING : installs(before);
  }

  #finish(tid: number, name: string, value: number): readonly Deed[] {
    const task = this.#tasks.get(tid);
    const call = task?.call ?? null;
    if (task === undefined || call === null) return NOTHING;
    task.call = null;
    if (task.unbound === null && task.write === null) this.#tasks.delete(tid);
    if (!endsAs(call, name)) return installs(call);
    if (Number.isNaN(value)) throw new EvidenceError(`sys_${call.name}: no return value`);
    return deedsOf(call, value);
  }

  #point(name: string, text: string, tid: number): readonly Deed[] {
    switch (name) {
      case 'open_path':
      case 'open_name':
        return this.#openPath(name, text, tid);
      case 'cdev_open':
      case 'group_open':
      case 'iommufd_open':
      case 'container_open':
        return this.#withCall(tid, (call) => {
          if (isOpening(call)) call.file = field(text, 'file');
        });
      case 'cdev_open_ret':
      case 'group_open_ret':
      case 'iommufd_open_ret':
      case 'container_open_ret':
        return valueIn(text) < 0 ? this.#opened(tid, valueIn(text)) : NOTHING;
      case 'open_ret':
        return this.#opened(tid, valueIn(text));
      case 'fd_install':
        return this.#install(text, tid);
      case 'bind':
      case 'attach':
      case 'detach':
      case 'group_ioctl':
      case 'iommufd_destroy':
      case 'hwpt_alloc':
      case 'ioas_map':
      case 'compat_ioas':
      case 'claim_device':
        return this.#withCall(tid, (call) => {
          if (call.name === 'ioctl') call.words = { ...call.words, ...wordsIn(name, text) };
        });
      case 'cdev_ioctl_ret':
      case 'group_ioctl_ret':
      case 'container_ioctl_ret':
      case 'iommufd_ioctl_ret':
        return this.#finishOnly(tid, 'ioctl', valueIn(text));
      case 'dupfd_ret':
        return this.#finishOnly(tid, 'fcntl', valueIn(text));
      case 'device_mmap':
        return this.#withCall(tid, (call) => {
          call.mapped = extentIn(text);
        });
      case 'device_mmap_ret': {
        const address = this.#tasks.get(tid)?.call?.mapped?.address;
        const value = valueIn(text) < 0 ? valueIn(text) : address;
        return value === undefined ? NOTHING : this.#finishOnly(tid, 'mmap', value);
      }
      case 'close_on_exec': {
        const [fd, flag] = [numberIn(field(text, 'fd') ?? ''), numberIn(field(text, 'flag') ?? '')];
        if (Number.isNaN(fd) || Number.isNaN(flag)) return NOTHING;
        return [{ did: 'cloexec', on: { fd, path: null }, cloexec: flag !== 0 }];
      }
      case 'device_release':
        return [{ did: 'release', kind: 'device', file: fileIn(name, text) }];
      case 'group_release':
        return [{ did: 'release', kind: 'group', file: fileIn(name, text) }];
      case 'iommufd_release':
        return [{ did: 'release', kind: 'iommufd', file: fileIn(name, text) }];
      case 'container_release':
        return [{ did: 'release', kind: 'container', file: fileIn(name, text) }];
      case 'cdev_add':
        return nodeGivenIn(text);
      case 'unregister':
      case 'unregister_ret':
      case 'unbind_store':
      case 'unbind_store_ret':
      case 'bind_store':
      case 'bind_store_ret':
        return drivenBy(name, text, this.#task(tid));
      default:
        return this.#schedule(name, text, tid);
    }
  }

  #schedule(name: string, text: string, tid: number): readonly Deed[] {
    switch (name) {
      case 'task_newtask':
        return this.#newTask(text, tid);
      case 'sched_process_fork':
        return this.#fork(text, tid);
      case 'sched_process_exec': {
        const program = /^filename=(.*) pid=\d+/.exec(text)?.[1];
        if (program === undefined) throw new EvidenceError(`${name} without a file name`);
        return [{ did: 'exec', program: commOf(program) }];
      }
      case 'sched_process_exit':
        this.#tasks.delete(tid);
        return [{ did: 'exit', whole: text.endsWith(' group_dead=true'), signal: null }];
      case 'task_rename': {
        const [, of, to] = /^(?:pid=(\d+) )?oldcomm=.* newcomm=(.*) oom_/.exec(text) ?? [];
        // A thread may rename another thread.
        if (to === undefined || (of !== undefined && Number(of) !== tid)) return NOTHING;
        return [{ did: 'name', name: to }];
      }
      default:
        return NOTHING;
    }
  }

  #openPath(name: string, text: string, tid: number): readonly Deed[] {
    const { path, cloexec } = openedIn(text);
    const current = this.#tasks.get(tid)?.call ?? null;
    const isWithin =
      current !== null &&
      isOpening(current) &&
      (current.name !== OPENING || (name === 'open_name' && current.path === path));
    const before = isWithin ? NOTHING : this.#begin(tid, begun(OPENING, ''));
    const task = this.#task(tid);
    if (path === null || task.call === null) return before;
    task.call.path = path;
    task.call.cloexec = cloexec ?? task.call.cloexec;
    task.unbound = deviceUnboundBy(path);
    return before;
  }

  /** Ends an open of which no system call was seen. */
  #opened(tid: number, value: number): readonly Deed[] {
    return Number.isNaN(value) ? NOTHING : this.#finishOnly(tid, OPENING, value);
  }

  #install(text: string, tid: number): readonly Deed[] {
    const file = fileIn('fd_install', text);
    const fd = numberIn(field(text, 'fd') ?? '');
    if (Number.isNaN(fd)) throw new EvidenceError("fd_install without an 'fd'");
    const call = this.#tasks.get(tid)?.call ?? null;
    if (call?.name === OPENING) {
      call.installed.splice(0, MOST_INSTALLED, { fd, file });
      // Another file may be that of a later call, if the open has failed.
      return call.file === file ? this.#opened(tid, fd) : [{ did: 'install', fd, file }];
    }
    if (call === null || !isInstalling(call) || call.installed.length >= MOST_INSTALLED) {
      return [{ did: 'install', fd, file }];
    }
    call.installed.push({ fd, file });
    return NOTHING;
  }

  #newTask(text: string, tid: number): readonly Deed[] {
    const [, child, comm, flags] = /^pid=(\d+) comm=(.*) clone_flags=([\da-f]+)/.exec(text) ?? [];
    if (child === undefined) throw new EvidenceError('task_newtask without a child');
    this.#task(tid).child = Number(child);
    const shares = sharesIn(flags ?? '');
    return [{ did: 'fork', child: Number(child), childComm: comm ?? null, shares }];
  }

  #fork(text: string, tid: number): readonly Deed[] {
    const [, comm = null, number] = /.* child_comm=(.*) child_pid=(\d+)/.exec(text) ?? [];
    if (number === undefined) throw new EvidenceError('sched_process_fork without a child');
    const child = Number(number);
    const task = this.#tasks.get(tid);
    if (task?.child === child) {
      task.child = null;
      return NOTHING;
    }
    return [{ did: 'fork', child, childComm: comm, shares: sharesBy(task?.call ?? null) }];
  }

  /** Ends a call if it is the current one. */
  #finishOnly(tid: number, name: string, value: number): readonly Deed[] {
    if (this.#tasks.get(tid)?.call?.name !== name || Number.isNaN(value)) return NOTHING;
    return this.#finish(tid, name, value);
  }

  #withCall(tid: number, learn: (call: FtraceCall) => void): readonly Deed[] {
    const call = this.#tasks.get(tid)?.call ?? null;
    if (call !== null) learn(call);
    return NOTHING;
  }

  #task(tid: number): Task {
    const known = this.#tasks.get(tid);
    const task = known ?? { call: null, unbound: null, write: null, child: null };
    if (known !== undefined) this.#tasks.delete(tid);
    this.#tasks.set(tid, task);
    if (this.#tasks.size > MOST_TASKS) {
      for (const oldest of this.#tasks.keys()) {
        this.#tasks.delete(oldest);
        break;
      }
    }
    return task;
  }
}

/**
 * The numbers that calls of a history name, as the same calls return them when they are made anew.
 *
 * @module
 */
import type { Call } from '../events/vocabulary.ts';
import type { LiveHost } from '../machines/live-host.ts';
import type { RecordedCall } from '../operations/row.ts';
import { rowOf } from '../operations/table.ts';
import type { Attempted } from './what-if.ts';

/** Stands for a descriptor or an object that was not handed out. */
const NONE = -1;

/** Arguments that are ids of objects of an iommufd. */
const objects = ['pt', 'object', 'ioas'] as const;

export class Renumbering {
  readonly #was: LiveHost;
  readonly #is: () => LiveHost;
  /** Descriptors handed out anew, by process and the number of the history. */
  readonly #descriptors = new Map<string, number>();
  /** Numbers of descriptors that are handed out now, and stood for none or another one before. */
  readonly #others = new Set<string>();
  /** Files of the history, by those that the same calls open now. */
  readonly #files = new Map<string, string>();
  /** Ids handed out anew, by iommufd of the history and the number there. */
  readonly #objects = new Map<string, number>();

  /** `was` is the host of the history before a call, `is` the one on which it is made anew. */
  constructor(was: LiveHost, is: () => LiveHost) {
    this.#was = was;
    this.#is = is;
  }

  /** A host that boots hands out all numbers again. */
  forget(): void {
    this.#descriptors.clear();
    this.#others.clear();
    this.#files.clear();
    this.#objects.clear();
  }

  /** A call of the history with the numbers of now. */
  renumbered(call: Call): Call {
    const pid = 'pid' in call ? call.pid : NONE;
    const now: Record<string, unknown> = { ...call };
    for (const key of ['fd', ...rowOf(call.operation).descriptors]) {
      const given = now[key];
      if (typeof given === 'number') now[key] = this.#descriptor(pid, given);
      if (Array.isArray(given)) now[key] = given.map((fd: number) => this.#descriptor(pid, fd));
    }
    if (call.operation === 'dup2') now['to'] = this.#target(pid, call.to);
    const context = this.#contextOf(call, typeof now['fd'] === 'number' ? now['fd'] : null);
    const ids = call.operation === 'alloc_hwpt' ? [...objects, 'device'] : objects;
    for (const key of ids) {
      const given = now[key];
      if (typeof given === 'number') now[key] = this.#objects.get(`${context} ${given}`) ?? given;
    }
    if (call.operation === 'open_path') {
      now['path'] = call.path.replace(/^(\/proc\/self\/fd\/)(\d+)$/, (_, folder: string, fd) => {
        return `${folder}${this.#descriptor(pid, Number(fd))}`;
      });
    }
    return now as Call;
  }

  /**
   * What has come of a call of the history, which recorded the event at `position`. `now` is null if
   * it is left out: then it returns nothing.
   */
  note({ call, passed }: RecordedCall, position: number, now: Attempted | null): void {
    const isMade = now !== null && now.errno === null;
    const pid = call.operation === 'send' ? call.to : 'pid' in call ? call.pid : null;
    if (rowOf(call.operation).handsOut !== null) {
      const fd = (isMade ? now.fd : null) ?? NONE;
      if (passed.rc !== undefined) this.#descriptors.set(`${pid} ${passed.rc}`, fd);
      if (fd !== passed.rc) this.#others.add(`${pid} ${fd}`);
    }
    if (isMade) this.#files.set(`f${now.position}`, `f${position}`);
    if (call.operation === 'fork' && passed.pid !== undefined) this.#inherit(call.pid, passed.pid);
    const id = idOf(call as Call, passed);
    if (id === undefined) return;
    const made = (isMade ? now.id : null) ?? NONE;
    this.#objects.set(`${this.#contextOf(call as Call, null)} ${id}`, made);
  }

  #inherit(parent: number, child: number): void {
    for (const [key, fd] of this.#descriptors) {
      const [pid, number] = key.split(' ');
      if (pid === String(parent)) this.#descriptors.set(`${child} ${number}`, fd);
    }
  }

  #descriptor(pid: number, fd: number): number {
    const now = this.#descriptors.get(`${pid} ${fd}`);
    if (now !== undefined) return now;
    // The program does not know a number that only now is handed out.
    const isOther = this.#others.has(`${pid} ${fd}`);
    return isOther && this.#was.fileBehind(pid, fd) === undefined ? NONE : fd;
  }

  /** The number that a duplicate replaces; if there is none now, the number of the history. */
  #target(pid: number, to: number): number {
    const now = this.#descriptor(pid, to);
    return now === NONE ? to : now;
  }

  /**
   * The iommufd of the history whose objects a call names, or makes. `now` is the descriptor of the
   * call as it is made anew, in case its device is bound only now.
   */
  #contextOf(call: Call, now: number | null): string {
    if (!('pid' in call) || !('fd' in call)) return '';
    const fd = call.operation === 'bind' ? call.iommufd : call.fd;
    const file = this.#was.file(this.#was.fileBehind(call.pid, fd) ?? '');
    if (file?.kind !== 'device') return file?.id ?? '';
    if (file.context !== null) return file.context;
    const host = this.#is();
    const bound = host.file(host.fileBehind(call.pid, now ?? NONE) ?? '')?.context ?? '';
    return this.#files.get(bound) ?? bound;
  }
}

/** The id of the object that a call made in the history. */
function idOf({ operation }: Call, { id }: RecordedCall['passed']): number | undefined {
  return ['bind', 'alloc_ioas', 'alloc_hwpt'].includes(operation) ? id : undefined;
}

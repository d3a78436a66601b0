/**
 * The refusals of a boot that would still fail: when each of them would pass, with the caller's own
 * files taken as still open.
 *
 * Refusals that fail as long as each other are one, with one number. After an event, only those
 * calls are judged again that depend on what the event changed. How a refusal ends is a row of the
 * segment (`settled-refusals.ts`). A boot ends all of them without a row.
 *
 * @module
 */
import type { Attempt, EventType, Placed } from '../../events/vocabulary.ts';
import type { ObservedCause } from '../../machines/causes.ts';
import { Dependence } from '../../machines/dependence.ts';
import type { KeptCall, SavedCall } from '../../machines/kept-call.ts';
import type { LiveHost } from '../../machines/live-host.ts';
import { pidsIn } from '../../processes/effects.ts';
import { plugTypes } from './postings.ts';

/** Causes that no event has made, and that no later event can remove. */
export const inTheCall = new Set<ObservedCause>([
  'malformed-argument',
  'unsupported',
  'not-ownership',
  'unknown',
]);

/** At most so many refusals are open, and so many depend on one thing; others are `UNSURE`. */
const OPEN_MAX = 4096;
const TOGETHER_MAX = 256;

/** How a refusal ends: its call passes, never passes, or has to be played (`wouldPassAfter`). */
export const PASSES = 0;
export const NEVER = 1;
export const UNSURE = 2;
/** The code of the refusal with number 0: in a refusal's row, and where one goes on as another. */
export const FIRST_NUMBER = 3;

/** Open refusals as plain data, fit for JSON. */
export interface SavedRefusals {
  /** Number of those that were numbered since the first event. */
  readonly count: number;
  readonly open: readonly { readonly number: number; readonly call: SavedCall }[];
}

export const NO_REFUSALS: SavedRefusals = { count: 0, open: [] };

interface OpenRefusal {
  readonly number: number;
  readonly call: KeptCall;
  key: string;
  on: Dependence;
  /** The turn of `settle` in which it was found last. */
  turn: number;
}

/** A refusal that an event has ended; `as`: how, or the code of the one that it goes on as. */
interface Settled {
  readonly number: number;
  readonly as: number;
}

const NOTHING: readonly Settled[] = [];

export class OpenRefusals {
  #count: number;
  #turn = 0;
  readonly #open = new Map<string, OpenRefusal>();
  readonly #groups = new Waiting<string>();
  readonly #members = new Waiting<string>();
  readonly #devices = new Waiting<string>();
  readonly #files = new Waiting<string>();
  readonly #pids = new Waiting<number>();
  readonly #ofHost = new Set<OpenRefusal>();
  readonly #ofProcesses = new Set<OpenRefusal>();
  readonly #ofAnything = new Set<OpenRefusal>();

  /** The refusals of `saved`, which are open on `host`. */
  constructor(host: LiveHost, { count, open }: SavedRefusals) {
    this.#count = count;
    for (const { number, call: saved } of open) {
      const call = host.keepAgain(saved);
      const trial = call.retry(null);
      this.#add({
        number,
        call,
        key: call.key,
        on: typeof trial === 'string' ? Dependence.onAnything() : trial,
        turn: 0,
      });
    }
  }

  save(): SavedRefusals {
    const open = [...this.#open.values()].toSorted(byNumber);
    return {
      count: this.#count,
      open: open.map(({ number, call }) => ({ number, call: call.save() })),
    };
  }

  /** Opens a refusal that the host took last. Returns the code of how it ends, or of its number. */
  open(host: LiveHost, refused: Attempt, cause: ObservedCause): number {
    const call = host.keep(refused, cause);
    const { key } = call;
    const known = this.#open.get(key);
    if (known !== undefined) return FIRST_NUMBER + known.number;
    const trial = call.retry(null);
    if (trial === 'never') return NEVER;
    if (trial === 'unsure' || this.#open.size >= OPEN_MAX) return UNSURE;
    const on = trial === 'passes' ? Dependence.onAnything() : trial;
    if (this.#isCrowded(on)) return UNSURE;
    this.#add({ number: this.#count, call, key, on, turn: 0 });
    return FIRST_NUMBER + this.#count++;
  }

  /**
   * Judges again what may pass after `event`, the last one of the host. Those that end, ascending by
   * number.
   */
  settle(host: LiveHost, event: Placed): readonly Settled[] {
    if (event.type === 'host.booted') this.#clear();
    if (this.#open.size === 0) return NOTHING;
    const concerned = this.#concerned(host, event);
    if (concerned.length === 0) return NOTHING;
    const settled: Settled[] = [];
    for (const refusal of concerned.toSorted(byNumber)) {
      const as = this.#retried(refusal, event);
      if (as !== null) settled.push({ number: refusal.number, as });
    }
    return settled;
  }

  /** A boot ends all. */
  #clear(): void {
    this.#open.clear();
    for (const waiting of [this.#groups, this.#members, this.#devices, this.#files, this.#pids]) {
      waiting.clear();
    }
    for (const all of [this.#ofHost, this.#ofProcesses, this.#ofAnything]) all.clear();
  }

  #retried(refusal: OpenRefusal, event: Placed): number | null {
    const { call, key, on } = refusal;
    const trial = call.retry(event);
    if (typeof trial !== 'string' && call.key === key && trial.equals(on)) return null;
    this.#remove(refusal);
    if (trial === 'passes') return PASSES;
    if (trial === 'never') return NEVER;
    if (trial === 'unsure' || this.#isCrowded(trial)) return UNSURE;
    refusal.on = trial;
    refusal.key = call.key;
    const other = this.#open.get(refusal.key);
    if (other !== undefined) return FIRST_NUMBER + other.number;
    this.#add(refusal);
    return null;
  }

  /** The refusals that depend on what an event changed, each once. */
  #concerned(host: LiveHost, event: Placed): OpenRefusal[] {
    const found: OpenRefusal[] = [];
    const { groups, devices, files, contexts, evicted } = host.moved;
    const turn = ++this.#turn;
    const add = (refusals: Iterable<OpenRefusal>): void => {
      for (const refusal of refusals) {
        if (refusal.turn !== turn) found.push(refusal);
        refusal.turn = turn;
      }
    };
    if (this.#ofAnything.size > 0) add(this.#ofAnything);
    for (const { group } of groups) add(this.#groups.on(group));
    for (const { device, group } of devices) {
      add(this.#devices.on(device));
      if (group !== null) add(this.#members.on(group.group));
    }
    for (const { id } of files) add(this.#files.on(id));
    for (const id of contexts) add(this.#files.on(id));
    for (const id of evicted) add(this.#files.on(id));
    if (this.#ofHost.size > 0 && changesHost(host, event)) add(this.#ofHost);
    if (this.#ofProcesses.size > 0 && event.type.startsWith('process.')) add(this.#ofProcesses);
    if (this.#pids.size > 0) for (const pid of pidsIn(event.data)) add(this.#pids.on(pid));
    return found;
  }

  #isCrowded(on: Dependence): boolean {
    const { groups, members, devices, files, pid, isOfHost, isOfProcesses } = on;
    return (
      groups.some((group) => this.#groups.isCrowded(group)) ||
      members.some((group) => this.#members.isCrowded(group)) ||
      devices.some((device) => this.#devices.isCrowded(device)) ||
      files.some((file) => this.#files.isCrowded(file)) ||
      (pid !== null && this.#pids.isCrowded(pid)) ||
      (isOfHost && this.#ofHost.size >= TOGETHER_MAX) ||
      (isOfProcesses && this.#ofProcesses.size >= TOGETHER_MAX)
    );
  }

  #add(refusal: OpenRefusal): void {
    this.#open.set(refusal.key, refusal);
    const { groups, members, devices, files, pid, isOfHost, isOfProcesses, isOfAnything } =
      refusal.on;
    for (const group of groups) this.#groups.add(group, refusal);
    for (const group of members) this.#members.add(group, refusal);
    for (const device of devices) this.#devices.add(device, refusal);
    for (const file of files) this.#files.add(file, refusal);
    if (pid !== null) this.#pids.add(pid, refusal);
    if (isOfHost) this.#ofHost.add(refusal);
    if (isOfProcesses) this.#ofProcesses.add(refusal);
    if (isOfAnything) this.#ofAnything.add(refusal);
  }

  #remove(refusal: OpenRefusal): void {
    this.#open.delete(refusal.key);
    const { groups, members, devices, files, pid } = refusal.on;
    for (const group of groups) this.#groups.remove(group, refusal);
    for (const group of members) this.#members.remove(group, refusal);
    for (const device of devices) this.#devices.remove(device, refusal);
    for (const file of files) this.#files.remove(file, refusal);
    if (pid !== null) this.#pids.remove(pid, refusal);
    this.#ofHost.delete(refusal);
    this.#ofProcesses.delete(refusal);
    this.#ofAnything.delete(refusal);
  }
}

const NONE: readonly OpenRefusal[] = [];

/** The open refusals that depend on each of some things. */
class Waiting<K> {
  readonly #of = new Map<K, Set<OpenRefusal>>();

  get size(): number {
    return this.#of.size;
  }

  isCrowded(key: K): boolean {
    return (this.#of.get(key)?.size ?? 0) >= TOGETHER_MAX;
  }

  add(key: K, refusal: OpenRefusal): void {
    const there = this.#of.get(key);
    if (there === undefined) this.#of.set(key, new Set([refusal]));
    else there.add(refusal);
  }

  remove(key: K, refusal: OpenRefusal): void {
    const there = this.#of.get(key);
    if (there?.delete(refusal) === true && there.size === 0) this.#of.delete(key);
  }

  on(key: K): Iterable<OpenRefusal> {
    return this.#of.get(key) ?? NONE;
  }

  clear(): void {
    this.#of.clear();
  }
}

function byNumber(a: OpenRefusal, b: OpenRefusal): number {
  return a.number - b.number;
}

const ofHost = new Set<EventType>([...plugTypes, 'snapshot.taken']);

/** Whether an event may change drivers, devices or a driver change, or is a reading of the host. */
function changesHost(host: LiveHost, { type, data }: Placed): boolean {
  if (ofHost.has(type)) return true;
  if (type === 'operation.refused') return data.operation === 'bg_wait';
  // The release of a file may end the unbind that waits for it.
  return host.moved.devices.size > 0 && host.driverChange !== null;
}

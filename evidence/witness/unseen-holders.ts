/**
 * `UnseenHolders`: holders of files of which no line of the evidence shows anything any more. They are
 * children that the tracer may not have followed, processes that it has let go, and whoever receives a
 * descriptor that a traced process sent.
 *
 * Such a holder may close its files at any time, and nothing would show it. So the owner of a group is
 * unknown once only such holders have the files that keep it alive. A later line may show a child or a
 * receiver after all: until the end of the evidence, the gap is tentative. What a process did while it was
 * not traced, no later line shows.
 *
 * @module
 */
import type { Fact } from '../../events/vocabulary.ts';
import type { Devices } from './devices.ts';
import type { Tentative } from './inferences.ts';
import type { Kept } from './kept.ts';
import { wordsFor, type Seen, type Traced, type TracedProcesses } from './traced.ts';

/** Adds a tentative fact. */
export type TellTentatively = (fact: Fact, tentative: Tentative) => void;

/** A process, or a file in the queue of a socket that its receiver has taken or will take. */
type UnseenHolder = Traced | Seen;

/** A gap that was told, and the holders on which it depends. */
interface ToldGap {
  readonly tentative: Tentative;
  readonly by: ReadonlySet<UnseenHolder>;
}

export class UnseenHolders {
  readonly #processes: TracedProcesses;
  readonly #devices: Devices;
  readonly #kept: Kept;
  readonly #tell: TellTentatively;
  readonly #children = new Set<Traced>();
  /** Processes that the tracer has let go. */
  readonly #left = new Set<Traced>();
  /** The last gap of each group, and of each device whose group is unknown. */
  readonly #gaps = new Map<string, ToldGap>();
  /** Files that must have been released, as another one got the group for itself. */
  readonly #gone = new WeakSet<Seen>();
  /** Groups and such devices whose holders have changed since the last `settle`. */
  readonly #changed = new Set<string>();

  constructor(processes: TracedProcesses, devices: Devices, kept: Kept, tell: TellTentatively) {
    this.#processes = processes;
    this.#devices = devices;
    this.#kept = kept;
    this.#tell = tell;
  }

  /** Notes a child that holds files, before a line shows it. */
  born(child: Traced): void {
    this.#children.add(child);
  }

  /** Notes that the tracer has let a process go. */
  left(process: Traced): void {
    this.#left.add(process);
    for (const { seen } of heldBy(process)) this.moved(seen);
  }

  /** Notes that a line shows a process. */
  shown(process: Traced): void {
    this.#left.delete(process);
    if (this.#children.delete(process)) this.#withdraw(process);
  }

  /** Notes that a traced process has received a file. */
  received(seen: Seen): void {
    this.#withdraw(seen);
  }

  /** Notes that a process got or lost a hold on a file, or that the file got a context. */
  moved(seen: Seen): void {
    const place = this.#placeOf(seen);
    if (place !== null) this.#changed.add(place);
  }

  /** Notes that a file was opened; `isSeen` if it was just now. A group is open once at a time. */
  opened(seen: Seen, isSeen: boolean): void {
    if (isSeen && seen.kind === 'group') this.took(seen);
    else this.moved(seen);
  }

  /**
   * Notes that a call passed on a file which the kernel admits for no other file or context: an open of a
   * group, or a bind. What unseen holders had of the group is gone.
   */
  took(seen: Seen): void {
    this.moved(seen);
    const place = this.#placeOf(seen);
    for (const holder of [...this.#children, ...this.#left]) {
      for (const { seen: other } of heldBy(holder)) {
        if (other === seen || this.#placeOf(other) !== place) continue;
        if (seen.kind === 'group' || other.boundTo !== seen.boundTo) this.#gone.add(other);
      }
    }
  }

  /** Tells a gap of each group that only unseen holders are left to own. */
  settle(): void {
    if (this.#changed.size === 0) return;
    if (this.#children.size > 0 || this.#left.size > 0 || !this.#kept.isEmpty) {
      for (const place of this.#changed) this.#check(place);
    }
    this.#changed.clear();
  }

  /** Forgets all: the host has booted. */
  clear(): void {
    this.#children.clear();
    this.#left.clear();
    this.#gaps.clear();
    this.#changed.clear();
  }

  #check(place: string): void {
    const holders = this.#holdersOf(place);
    const by = holders.filter((holder) => !('pid' in holder) || this.#isUnseen(holder));
    if (by.length === 0 || by.length < holders.length) {
      this.#gaps.delete(place);
      return;
    }
    if (this.#gaps.has(place)) return;
    const tentative = { isVoid: false };
    this.#gaps.set(place, { tentative, by: new Set(by) });
    const data = { reason: this.#reasonFor(by), group: isGroup(place) ? place : null };
    this.#tell({ type: 'gap.noticed', data }, tentative);
  }

  #isUnseen(process: Traced): boolean {
    return this.#children.has(process) || this.#left.has(process);
  }

  /** Says that nothing shows what the holders do. */
  #reasonFor(holders: readonly UnseenHolder[]): string {
    const processes = holders.filter((holder) => 'pid' in holder);
    const left = processes.filter((process) => this.#left.has(process));
    const children = processes.filter((process) => !this.#left.has(process));
    const only = `only ${wordsForAll(processes)} may still hold its files`;
    const reasons = [
      ...(processes.length < holders.length
        ? ['its file was sent to a process that no line shows']
        : []),
      ...(children.length > 0 ? [`${only}, and no line shows what came after the fork`] : []),
      ...(left.length > 0 ? [`the tracer let ${wordsForAll(left)} go, which had its files`] : []),
    ];
    return reasons.join('; ');
  }

  /** Who has the files that keep the owner of a group alive, or that of a device without a group. */
  #holdersOf(place: string): UnseenHolder[] {
    const isIts = (seen: Seen) =>
      this.#placeOf(seen) === place && keepsOwner(seen) && !this.#gone.has(seen);
    const found: UnseenHolder[] = [];
    for (const process of this.#processes.all()) {
      if (heldBy(process).some(({ seen }) => isIts(seen))) found.push(process);
    }
    return [...found, ...[...this.#kept.files()].filter(isIts)];
  }

  /** The group of a file, or its device if the group is unknown; null for containers and iommufds. */
  #placeOf({ kind, group, device }: Seen): string | null {
    if (kind !== 'group' && kind !== 'device') return null;
    return this.#devices.groupOf(device) ?? group ?? device;
  }

  /** The gaps that depend on a holder did not happen: it may have files to this day. */
  #withdraw(holder: UnseenHolder): void {
    for (const [place, { tentative, by }] of this.#gaps) {
      if (!by.has(holder)) continue;
      tentative.isVoid = true;
      this.#gaps.delete(place);
      this.#changed.add(place);
    }
  }
}

/** Whether it is a group, by its number, and no device. */
function isGroup(place: string): boolean {
  return /^\d+$/.test(place);
}

/** Whether a file may keep the owner of its group alive: any but the unbound file of a node. */
function keepsOwner({ kind, path, isBound, isFound }: Seen): boolean {
  return kind === 'group' || path === null || isBound === true || isFound === true;
}

/** What a process holds. */
function heldBy({ descriptors, mappings }: Traced): { readonly seen: Seen }[] {
  return [...descriptors.values(), ...mappings.values()];
}

/** `pid 7`, or `pid 7, pid 8`. */
function wordsForAll(processes: readonly Traced[]): string {
  return processes.map(wordsFor).join(', ');
}

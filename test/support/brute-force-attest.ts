/**
 * Attestations from the machines alone: every hand in every group is looked up in the host after every
 * event, and is asked whose it is.
 *
 * @module
 */
import type { LedgerEvent, Placed } from '../../events/vocabulary.ts';
import type { HostAt, ProcessAt } from '../../machines/host-at.ts';
import { LiveHost } from '../../machines/live-host.ts';
import { KERNEL_PID, positionOf, type FileId } from '../../processes/process-table.ts';

export interface Label extends Pick<ProcessAt, 'pid' | 'comm' | 'cgroup' | 'vm'> {
  /** The position at which the process began: others may have had its pid. */
  readonly began: number;
}

/** Whether a process is of a tenant, as the test knows it; null where it was not told. */
export type Judge = (process: Label) => boolean | null;

interface Hand {
  readonly keepsOwner: boolean;
  /** The processes that it counts for; null stands for some that nobody has named. */
  readonly of: readonly (Label | null)[];
}

/** The state of a group after an event. */
export interface GroupHands {
  readonly group: string;
  readonly position: number;
  readonly isUnknown: boolean;
  readonly isKernels: boolean;
  readonly hands: readonly Hand[];
}

/** Whether all processes of a host were seen from one position to another. */
export type SeenAll = (group: string, from: number, to: number) => boolean;

/** All states of all groups that exist, one event after the other. */
export function handsAtEach(events: readonly Placed<LedgerEvent>[], isSeen: SeenAll): GroupHands[] {
  const host = new LiveHost();
  const held = new Map<FileId, Map<string, Label>>();
  const begun = new Begun();
  return events.flatMap((event) => {
    host.take(event);
    begun.note(host, event);
    const labelOf = (pid: number): Label => labelled(host.process(pid)!, begun);
    for (const file of host.files()) note(host, file.id, held, labelOf);
    return [...host.groups()].map(({ group, isUnknown, state }) => ({
      group,
      position: event.position,
      isUnknown,
      isKernels: !isUnknown && state === 'kernel',
      hands: handsOn(host, group, {
        held,
        labelOf,
        isKnownSinceOpen: (file) => isSeen(group, positionOf(file), event.position),
      }),
    }));
  });
}

/** The position at which each process began that now has a pid. */
export class Begun {
  #at = new Map<number, number>();

  note(host: HostAt, { type, data, position }: Placed<LedgerEvent>): void {
    const started = type === 'process.started' ? data.pid : null;
    const replaced = type === 'process.forked' ? data.child : started;
    const before = this.#at;
    this.#at = new Map();
    for (const { pid } of host.processes()) {
      const isNew = pid === replaced || type === 'host.booted';
      this.#at.set(pid, isNew ? position : (before.get(pid) ?? position));
    }
  }

  of(pid: number): number {
    return this.#at.get(pid) ?? -1;
  }
}

export function labelled({ pid, comm, cgroup, vm }: ProcessAt, begun: Begun): Label {
  return { pid, comm, cgroup, vm, began: begun.of(pid) };
}

function note(
  host: HostAt,
  file: FileId,
  held: Map<FileId, Map<string, Label>>,
  labelOf: (pid: number) => Label,
): void {
  const names = held.get(file) ?? new Map<string, Label>();
  held.set(file, names);
  for (const { pid, via } of host.holders(file)) {
    if (via !== 'fd' || pid === KERNEL_PID) continue;
    const label = labelOf(pid);
    names.set(JSON.stringify(label), label);
  }
}

/** What is known besides the host. */
interface Known {
  /** The processes that ever had a descriptor of a file. */
  readonly held: ReadonlyMap<FileId, ReadonlyMap<string, Label>>;
  readonly labelOf: (pid: number) => Label;
  readonly isKnownSinceOpen: (file: FileId) => boolean;
}

function handsOn(host: HostAt, group: string, { held, labelOf, isKnownSinceOpen }: Known): Hand[] {
  const { opener, owner, isUnknown } = host.group(group)!;
  return [...host.files()].flatMap((file): Hand[] => {
    const keepsOwner = !isUnknown && owner !== null && reaches(host, file.id, owner);
    const isBound = file.kind === 'device' && file.group === group && file.pins.length > 0;
    if (!keepsOwner && !isBound && file.id !== opener) return [];
    const holders = host.holders(file.id);
    const own = holders.filter(({ pid }) => pid !== KERNEL_PID);
    const isKept = file.pinnedBy.length > 0 || own.length < holders.length;
    const past = [...(held.get(file.id)?.values() ?? [])];
    const others = isKept && !isKnownSinceOpen(file.id) ? [null] : [];
    const kept = isKept ? [{ keepsOwner, of: [...past, ...others] }] : [];
    return [...own.map(({ pid }) => ({ keepsOwner, of: [labelOf(pid)] })), ...kept];
  });
}

/** Whether a file keeps another one alive, directly or through others; each does so for itself. */
function reaches(host: HostAt, from: FileId, to: FileId): boolean {
  return from === to || (host.file(from)?.pins ?? []).some((pin) => reaches(host, pin, to));
}

/** Whether one of the processes of a hand is judged so; null if that is not known. */
function any(hand: Hand, judge: Judge, wanted: boolean): boolean | null {
  const judged = hand.of.map((label) => (label === null ? null : judge(label)));
  if (judged.includes(wanted)) return true;
  return judged.length === 0 || judged.includes(null) ? null : false;
}

/** Whether the hands make an instance of what a question denies. */
export function isInstance(question: string, state: GroupHands, judges: readonly Judge[]): boolean {
  const { hands, isKernels } = state;
  const owners = hands.filter(({ keepsOwner }) => keepsOwner);
  const [judge = () => null] = judges;
  switch (question) {
    case 'never-shared':
      return judges.every((each) => hands.some((hand) => any(hand, each, true) === true));
    case 'never-owned':
      return owners.some((hand) => any(hand, judge, true) === true);
    default:
      return isKernels || owners.some((hand) => any(hand, judge, false) === true);
  }
}

/** Whether it is not known of one of the hands whose it is. */
export function isOpen(question: string, { hands }: GroupHands, judges: readonly Judge[]): boolean {
  return hands.some((hand) =>
    judges.some(
      (judge) =>
        any(hand, judge, true) === null ||
        (question === 'sole-owner' && any(hand, judge, false) === null),
    ),
  );
}

/** Whether a hand of the tenant keeps the owner alive. */
export function isOwner({ hands }: GroupHands, judge: Judge): boolean {
  return hands.some((hand) => hand.keepsOwner && any(hand, judge, true) === true);
}

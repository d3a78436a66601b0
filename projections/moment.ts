/**
 * Answers questions about a host at one moment, as plain data.
 *
 * @module
 */
import { textGiven } from '../events/given.ts';
import { LedgerError } from '../events/ledger-error.ts';
import type { FileId } from '../processes/process-table.ts';
import { askThrough } from './asked.ts';
import { claimantsAt, claimantsOf, claimantsOn } from './claimants.ts';
import { exitOf } from './exits.ts';
import { sinceOf } from './history.ts';
import { ownerSince, type BareOwner } from './owner-at.ts';
import { holdingsOf, orphansOf } from './holdings.ts';
import { lineageOf } from './lineage.ts';
import type { Parties } from './parties.ts';
import { partiesAt } from './parties-at.ts';
import { resolveSubject } from './resolve.ts';
import type {
  AboutMoments,
  DeviceWithClaims,
  GroupWithClaims,
  Descent,
  Holder,
  Holding,
  LogEnd,
  Moment,
  Orphan,
  Table,
  Who,
} from './shapes.ts';
import type { HostAt } from '../machines/host-at.ts';
import { timed } from './timed.ts';
import type { Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';
import { byProcess, deviceView, groupView, tableOf } from './views.ts';
import { START } from './when.ts';
import { whyUnknown, type WhyUnknown } from './why-unknown.ts';

/** The host after the event at a position; before the first event at `start`. */
export class HostAtMoment {
  readonly #timeline: Timeline;
  readonly #position: number;
  readonly #logEnds: LogEnd | null;

  static {
    askThrough(HostAtMoment, (moment: HostAtMoment) => moment.#timeline);
  }

  /** `logEnds` is given if the moment is an instant after the end of the log. @internal */
  constructor(timeline: Timeline, position: number, logEnds: LogEnd | null = null) {
    this.#timeline = timeline;
    this.#position = position;
    this.#logEnds = logEnds;
  }

  /** The position and time of the moment. */
  get moment(): Moment {
    const position = this.#position;
    if (position === START) return { position: null, time: null };
    const time = this.#timeline.timeAt(position);
    return { position, time, ...(position >= this.#timeline.ownFrom && { whatIf: true }) };
  }

  /** The ownership table: all groups, devices and open VFIO files. */
  table(): Table {
    const timeline = this.#timeline;
    const all = claimantsAt(timeline, this.#position);
    const { groups, devices, ...table } = tableOf(this.#host, this.moment, this.#since);
    return {
      ...table,
      groups: groups.map((view) => {
        const claimants = claimantsOn({ kind: 'group', id: view.group }, all);
        return { ...timed(timeline, view), claimants };
      }),
      devices: devices.map((view) => {
        const claimants = claimantsOn({ kind: 'device', id: view.device }, all);
        return { ...timed(timeline, view), claimants };
      }),
      ...this.#ending,
    };
  }

  /**
   * A device by PCI address, name or node (`vfio0`). Throws `unknown-subject` if it does not exist
   * at this moment.
   */
  device(word: string): DeviceWithClaims & AboutMoments {
    const { kind, id } = resolveSubject(this.#timeline, word, this.#position);
    const device = kind === 'device' ? this.#host.device(id) : undefined;
    if (device === undefined)
      throw new LedgerError('unknown-subject', `no device '${word}' at this moment`);
    const view = timed(this.#timeline, deviceView(this.#host, device, this.#since));
    const claimants = claimantsOf(this.#timeline, { kind, id }, this.#position);
    return { ...view, claimants, ...this.#ending };
  }

  /** A group, `26` or `g26`. Throws `unknown-subject` if it does not exist at this moment. */
  group(word: string): GroupWithClaims & AboutMoments {
    const { kind, id } = resolveSubject(this.#timeline, word, this.#position);
    const group = kind === 'group' ? this.#host.group(id) : undefined;
    if (group === undefined)
      throw new LedgerError('unknown-subject', `no group '${word}' at this moment`);
    const view = timed(this.#timeline, groupView(this.#host, group, this.#since));
    const claimants = claimantsOf(this.#timeline, { kind, id }, this.#position);
    return { ...view, claimants, ...this.#ending };
  }

  /**
   * The owner of a group without its holders, and since when it is the owner: a search in the index,
   * while `group` also finds the holders. A group that does not exist at this moment has owner
   * `none`. Throws `unknown-subject` if no event concerns the group.
   */
  owner(word: string): BareOwner & AboutMoments {
    const { kind, id } = resolveSubject(this.#timeline, word, this.#position);
    if (kind !== 'group') throw new LedgerError('unknown-subject', `'${word}' is not a group`);
    const { owner, since } = ownerSince(this.#timeline, id, this.#position);
    const { kind: of, file, certainty } = owner;
    const sure = certainty !== undefined && { certainty };
    return { ...timed(this.#timeline, { kind: of, file, since, ...sure }), ...this.#ending };
  }

  /**
   * Owner, holders, waiters and claimants of a subject, how each holder got its file, and of a
   * process that had ended, its exit. A subject is a group (`26`, `g26`), a device (PCI address,
   * name or node), `pid:N` or `fN`, or as answers print it (`qemu[4711]`). A subject that does not
   * exist at this moment has owner `none`. Throws `unknown-subject` if no event concerns it.
   */
  who(word: string): Who {
    const subject = resolveSubject(this.#timeline, word, this.#position);
    const [timeline, position] = [this.#timeline, this.#position];
    const parties = this.#partiesOf(subject);
    const since = sinceOf(timeline, subject, { position, owner: parties.owner });
    const exited = subject.kind === 'process' ? exitOf(timeline, subject.id, position) : null;
    const files = new Set(parties.holders.flatMap(({ file }) => file ?? []));
    const lineage = [...files].flatMap((file) => this.lineage(file));
    const known = new Set(parties.holders.map(placeOf));
    return {
      subject: subject.id,
      kind: subject.kind,
      at: this.moment,
      ...parties,
      since,
      sinceTime: since === null ? null : timeline.timeAt(since),
      claimants: claimantsOf(timeline, subject, position),
      ...(exited !== null && { exited }),
      lineage: lineage.filter((descent) => known.has(placeOf(descent))).toSorted(byProcess),
      ...this.#ending,
    };
  }

  /**
   * Why the owner of a device or group is unknown. Null if it is known, and for processes and
   * files, which may concern several groups. Throws `unknown-subject`.
   */
  whyUnknown(word: string): WhyUnknown | null {
    const subject = resolveSubject(this.#timeline, word, this.#position);
    if (this.#partiesOf(subject).owner.kind !== 'unknown') return null;
    const group = this.#groupOf(subject);
    return group === null ? null : whyUnknown(this.#timeline, group, this.#position);
  }

  #groupOf({ kind, id }: Subject): string | null {
    if (kind === 'group') return id;
    return kind === 'device' ? (this.#host.device(id)?.group ?? null) : null;
  }

  #partiesOf(subject: Subject): Parties {
    return partiesAt(this.#timeline, this.#host, { ...subject, position: this.#position });
  }

  /** For each holder of a file, the events by which it got the file; empty if nothing holds it. */
  lineage(file: FileId): Descent[] {
    return lineageOf(this.#timeline, textGiven(file), this.#position);
  }

  /** Open files that no process has a descriptor or mapping of, and what keeps them alive. */
  orphans(): Orphan[] {
    return orphansOf(this.#host);
  }

  /**
   * Every VFIO descriptor and mapping of the processes that hold a subject or keep its owner alive;
   * of the process itself for `pid:N`. Throws `unknown-subject`.
   */
  holdings(word: string): Holding[] {
    return holdingsOf(this.#host, resolveSubject(this.#timeline, word, this.#position));
  }

  /** The subject that a word means at this moment. Throws `unknown-subject`. */
  subject(word: string): Subject {
    return resolveSubject(this.#timeline, word, this.#position);
  }

  get #ending(): AboutMoments {
    return this.#logEnds === null ? {} : { logEnds: this.#logEnds };
  }

  get #host(): HostAt {
    return this.#timeline.hostAt(this.#position);
  }

  readonly #since = (group: string) => ownerSince(this.#timeline, group, this.#position).since;
}

const placeOf = ({ pid, fd, file }: Holder): string => `${pid} ${fd} ${file}`;

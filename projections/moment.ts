/**
 * A host at one moment, as plain data.
 *
 * @module
 */
import { LedgerError } from '../events/ledger-error.ts';
import type { FileId } from '../processes/process-table.ts';
import { ownerBefore } from './before.ts';
import { holdingsOf, orphansOf } from './holdings.ts';
import { lineageOf } from './lineage.ts';
import { partiesOf, type Parties } from './parties.ts';
import { resolveSubject } from './resolve.ts';
import type {
  Descent,
  DeviceView,
  GroupView,
  Holder,
  Holding,
  Moment,
  Orphan,
  Table,
  Who,
} from './shapes.ts';
import type { HostAt } from '../machines/host-at.ts';
import type { Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';
import { byProcess, deviceView, groupView, tableOf } from './views.ts';
import { START } from './when.ts';
import { whyUnknown, type WhyUnknown } from './why-unknown.ts';

export class HostAtMoment {
  readonly #timeline: Timeline;
  readonly #position: number;

  /** @internal */
  constructor(timeline: Timeline, position: number) {
    this.#timeline = timeline;
    this.#position = position;
  }

  get moment(): Moment {
    const position = this.#position;
    if (position === START) return { position: null, time: null };
    const time = this.#timeline.timeAt(position);
    return { position, time, ...(position >= this.#timeline.ownFrom && { whatIf: true }) };
  }

  table(): Table {
    return tableOf(this.#host, this.moment, this.#since);
  }

  /** A device by address, name or node. Throws `unknown-subject`. */
  device(word: string): DeviceView {
    const { kind, id } = resolveSubject(this.#timeline, word, this.#position);
    const device = kind === 'device' ? this.#host.device(id) : undefined;
    if (device === undefined)
      throw new LedgerError('unknown-subject', `no device '${word}' at that moment`);
    return deviceView(this.#host, device, this.#since);
  }

  /** A group by its number. Throws `unknown-subject`. */
  group(word: string): GroupView {
    const { kind, id } = resolveSubject(this.#timeline, word, this.#position);
    const group = kind === 'group' ? this.#host.group(id) : undefined;
    if (group === undefined)
      throw new LedgerError('unknown-subject', `no group '${word}' at that moment`);
    return groupView(this.#host, group, this.#since);
  }

  /** Owner, holders and waiters of a subject; nobody where it is not there at that moment. */
  who(word: string): Who {
    const subject = resolveSubject(this.#timeline, word, this.#position);
    const parties = this.#partiesOf(subject);
    const files = new Set(parties.holders.flatMap(({ file }) => file ?? []));
    const lineage = [...files].flatMap((file) => this.lineage(file));
    const known = new Set(parties.holders.map(placeOf));
    return {
      subject: subject.id,
      at: this.moment,
      ...parties,
      lineage: lineage.filter((descent) => known.has(placeOf(descent))).toSorted(byProcess),
    };
  }

  /**
   * Why the owner of a device or a group is unknown; null where it is known, and for processes and
   * files, which may have to do with several groups.
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

  /** Of a group that is yet to be found nobody knows whose it is. */
  #partiesOf(subject: Subject): Parties {
    const parties = partiesOf(this.#host, subject);
    if (subject.kind !== 'group' || this.#host.group(subject.id) !== undefined) return parties;
    return { ...parties, owner: ownerBefore(this.#timeline, subject.id, this.#position) };
  }

  /** How each holder of a file came by it. */
  lineage(file: FileId): Descent[] {
    return lineageOf(this.#timeline, String(file), this.#position);
  }

  /** Files that are alive although no process could name them, with what keeps them. */
  orphans(): Orphan[] {
    return orphansOf(this.#host);
  }

  /**
   * What else of VFIO's the processes held that held a subject or kept its owner alive; what a
   * process itself held.
   */
  holdings(word: string): Holding[] {
    return holdingsOf(this.#host, resolveSubject(this.#timeline, word, this.#position));
  }

  get #host(): HostAt {
    return this.#timeline.hostAt(this.#position);
  }

  readonly #since = (group: string) => this.#timeline.since(group, this.#position);
}

const placeOf = ({ pid, fd, file }: Holder): string => `${pid} ${fd} ${file}`;
